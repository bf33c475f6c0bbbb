"""Pictures of how good probabilities are, as SVG: one panel for each axis."""

from collections.abc import Callable, Mapping, Sequence
from html import escape

from gyrus.classifier.calibration.figures import Pair, reliability, risk_by_coverage

SIDE, GAP, COLUMNS = 150, 52, 4
MOST_RISK = 0.2
"""Upper end of the risk axis: an axis that is wrong more often than this is no use at any coverage."""


def reliability_chart(pairs: Mapping[str, Sequence[Pair]]) -> str:
    """Share that is right (up) by probability (right), a dot a bin, as large as what it holds; on the line they are calibrated."""

    def panel(of_axis: Sequence[Pair]) -> str:
        dots = (
            f'<circle cx="{mean * SIDE:.1f}" cy="{(1 - share) * SIDE:.1f}" r="{2 + 8 * (count / len(of_axis)) ** 0.5:.1f}" fill="#3465a4"'
            f' fill-opacity="0.6"><title>{mean:.3f}: {share:.3f} of {count}</title></circle>'
            for mean, share, count in reliability(of_axis)
        )
        return f'<line x1="0" y1="{SIDE}" x2="{SIDE}" y2="0" stroke="#aaa"/>{"".join(dots)}'

    return _page(pairs, panel, ("probability", "share right"), ("0", "1", "0", "1"))


def risk_chart(pairs: Mapping[str, Sequence[Pair]]) -> str:
    """Share that is wrong (up, to 20 %) among the surest (right, to all of them)."""

    def panel(of_axis: Sequence[Pair]) -> str:
        points = " ".join(f"{share * SIDE:.1f},{(1 - min(risk / MOST_RISK, 1)) * SIDE:.1f}" for share, risk in risk_by_coverage(of_axis))
        return f'<polyline points="{points}" fill="none" stroke="#a40000" stroke-width="1.5"/>'

    return _page(pairs, panel, ("share accepted", "share wrong"), ("0", "1", "0", f"{MOST_RISK:g}"))


def _page(pairs: Mapping[str, Sequence[Pair]], panel: Callable[[Sequence[Pair]], str], names: tuple[str, str], ends: Sequence[str]) -> str:
    rows = -(-len(pairs) // COLUMNS)
    width, height = COLUMNS * (SIDE + GAP) + GAP, rows * (SIDE + GAP) + GAP
    parts = [_placed(place, axis, panel(of_axis), (names, ends)) for place, (axis, of_axis) in enumerate(pairs.items())]
    style = '<style>text{font:11px sans-serif;fill:#333}</style><rect width="100%" height="100%" fill="white"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}">{style}{"".join(parts)}</svg>\n'


def _placed(place: int, axis: str, drawn: str, told: tuple[tuple[str, str], Sequence[str]]) -> str:
    (across, up), (left, right, bottom, top) = told
    x, y = GAP + place % COLUMNS * (SIDE + GAP), GAP // 2 + place // COLUMNS * (SIDE + GAP)
    return (
        f'<g transform="translate({x},{y})"><rect width="{SIDE}" height="{SIDE}" fill="none" stroke="#ccc"/>{drawn}'
        f'<text x="{SIDE / 2}" y="-6" text-anchor="middle" font-weight="bold">{escape(axis)}</text>'
        f'<text x="0" y="{SIDE + 13}">{left}</text><text x="{SIDE}" y="{SIDE + 13}" text-anchor="end">{right}</text>'
        f'<text x="{SIDE / 2}" y="{SIDE + 13}" text-anchor="middle">{across}</text>'
        f'<text x="-4" y="{SIDE}" text-anchor="end">{bottom}</text><text x="-4" y="10" text-anchor="end">{top}</text>'
        f'<text x="-10" y="{SIDE / 2}" text-anchor="middle" transform="rotate(-90 -10 {SIDE / 2})">{up}</text></g>'
    )
