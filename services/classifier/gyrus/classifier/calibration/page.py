"""The page of figures, docs/calibration.md: what was fitted, and how good it is on headers whose families it never saw."""

from collections.abc import Mapping, Sequence
from typing import Any

from gyrus.classifier.calibration.figures import Figures, Pair, figures, reliability

HEAD = """# How sure: figures

Made by `make calibrate`; the fit is `rules/probability.json`. [classification.md](classification.md) says what the numbers mean.
"""
COLUMNS = (
    ("right", "right", "{:.1%}"),
    ("ece", "ECE", "{:.3f}"),
    ("log_loss", "log loss", "{:.3f}"),
    ("log_loss_of_constant", "of a constant", "{:.3f}"),
    ("auroc", "AUROC", "{:.3f}"),
    ("right_of_surest_90", "right of surest 90 %", "{:.1%}"),
    ("right_of_surest_70", "of surest 70 %", "{:.1%}"),
    ("at_least_90", "share ≥ 0.9", "{:.1%}"),
    ("wrong_at_least_90", "wrong there", "{:.1%}"),
)


def page(about: Mapping[str, Any], tables: Mapping[str, Mapping[str, Sequence[Pair]]], shown: Sequence[Pair]) -> str:
    """about: of the fit. tables: title → row → pairs. shown: the pairs of the reliability table."""
    told = ", ".join(f"{name} {value}" for name, value in about.items() if name not in ("figures", "weights"))
    parts = [HEAD, f"The fit: {told}.\n"]
    parts += [_table(title, {name: figures(pairs) for name, pairs in rows.items() if pairs}) for title, rows in tables.items()]
    parts += [_reliability(shown), "![Reliability](calibration/reliability.svg)\n", "![Risk by coverage](calibration/risk-coverage.svg)\n"]
    return "\n".join(parts)


def _table(title: str, rows: Mapping[str, Figures]) -> str:
    head = ["", "n", *(name for _, name, _ in COLUMNS)]
    lines = [f"## {title}\n", _row(head), _row(["---"] * len(head))]
    for name, found in rows.items():
        values = [(form, getattr(found, field)) for field, _, form in COLUMNS]
        lines.append(_row([name, str(found.n), *("–" if value is None else form.format(value) for form, value in values)]))
    return "\n".join(lines) + "\n"


def _reliability(pairs: Sequence[Pair]) -> str:
    lines = ["## Reliability of `all`, families unseen\n", _row(["mean probability", "share right", "headers"]), _row(["---"] * 3)]
    lines += [_row([f"{mean:.3f}", f"{share:.3f}", str(count)]) for mean, share, count in reliability(pairs)]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
