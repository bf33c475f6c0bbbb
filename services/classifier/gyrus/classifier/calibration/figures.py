"""How good probabilities are: calibration, sharpness, and what is right among the surest."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import asdict, dataclass

Pair = tuple[float, bool]
"""A probability, and whether the answer was right."""
BINS = 10


@dataclass(frozen=True)
class Figures:
    """Of `n` answers. ece: expected calibration error in ten bins; auroc is None where none, or all, were right."""

    n: int
    right: float
    ece: float
    log_loss: float
    log_loss_of_constant: float
    auroc: float | None
    right_of_surest_90: float
    right_of_surest_70: float
    at_least_90: float
    wrong_at_least_90: float

    def document(self) -> dict[str, float | None]:
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(self).items()}


def figures(pairs: Sequence[Pair]) -> Figures:
    """at_least_90: share of the answers with a probability ≥ 0.9; wrong_at_least_90: how many of all are wrong there."""
    n, right = len(pairs), sum(ok for _, ok in pairs) / len(pairs)
    sure = [(p, ok) for p, ok in pairs if p >= 0.9]
    return Figures(
        n=n,
        right=right,
        ece=sum(abs(mean - share) * count for mean, share, count in reliability(pairs)) / n,
        log_loss=_log_loss(pairs),
        log_loss_of_constant=_log_loss([(right, ok) for _, ok in pairs]),
        auroc=_auroc(pairs),
        right_of_surest_90=_right_of_surest(pairs, 0.9),
        right_of_surest_70=_right_of_surest(pairs, 0.7),
        at_least_90=len(sure) / n,
        wrong_at_least_90=sum(not ok for _, ok in sure) / max(len(sure), 1),
    )


def reliability(pairs: Sequence[Pair]) -> list[tuple[float, float, int]]:
    """Bins that hold something: mean probability, share that is right, how many."""
    cells: dict[int, list[Pair]] = {}
    for pair in pairs:
        cells.setdefault(min(BINS - 1, int(pair[0] * BINS)), []).append(pair)
    return [(sum(p for p, _ in cell) / len(cell), sum(ok for _, ok in cell) / len(cell), len(cell)) for _, cell in sorted(cells.items())]


def risk_by_coverage(pairs: Sequence[Pair]) -> list[tuple[float, float]]:
    """(share that is accepted, share of these that is wrong), the surest first; equally sure ones together."""
    ranked = sorted(pairs, key=lambda pair: -pair[0])
    curve, wrong = [], 0
    for count, (sure, ok) in enumerate(ranked, 1):
        wrong += not ok
        if count == len(ranked) or ranked[count][0] != sure:
            curve.append((count / len(ranked), wrong / count))
    return curve


def _right_of_surest(pairs: Sequence[Pair], share: float) -> float:
    top = sorted(pairs, key=lambda pair: -pair[0])[: max(1, int(len(pairs) * share))]
    return sum(ok for _, ok in top) / len(top)


def _log_loss(pairs: Sequence[Pair]) -> float:
    return sum(-math.log(min(max(p if ok else 1 - p, 1e-6), 1.0)) for p, ok in pairs) / len(pairs)


def _auroc(pairs: Sequence[Pair]) -> float | None:
    """The chance that a right answer is surer than a wrong one."""
    right, wrong = sorted(p for p, ok in pairs if ok), [p for p, ok in pairs if not ok]
    if not right or not wrong:
        return None
    return sum((len(right) - bisect_right(right, p)) + 0.5 * (bisect_right(right, p) - bisect_left(right, p)) for p in wrong) / (
        len(right) * len(wrong)
    )
