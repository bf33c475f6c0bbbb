"""`python -m gyrus.classifier.calibration HEADERS.jsonl… [--outside LABELLED.jsonl] [--docs DIR]`: fit, measure, write."""

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gyrus.classifier.calibration.charts import reliability_chart, risk_chart
from gyrus.classifier.calibration.examples import FOLDS, UNSEEN, WEIGHT, Row, examples, familiar_of, met_in, rows_of
from gyrus.classifier.calibration.figures import Pair, figures
from gyrus.classifier.calibration.fitting import Judged, cross_validated, fit
from gyrus.classifier.calibration.outside import pairs_of
from gyrus.classifier.calibration.page import page
from gyrus.classifier.core.features import Familiar
from gyrus.classifier.core.loader import PACKAGED, load_rules
from gyrus.classifier.core.probability import ALL, FILE, FITTED, Calibration, calibration_of
from gyrus.classifier.core.rules import Ruleset


def main() -> None:
    asked = _arguments()
    rows, ruleset = rows_of(asked.headers), load_rules(asked.rules)
    if (count := len({row["family"] for row in rows})) < FOLDS:
        sys.exit(f"Headers of {count} families: whole families are left out in {FOLDS} turns, so name files with as many or more.")
    known = examples(rows, ruleset)
    judged = list(cross_validated(known))
    about = {
        "fitted_at": datetime.now(UTC).strftime("%Y-%m-%d"),
        "rules": ruleset.rules_digest[:16],
        "data": _digest(rows),
        "headers": len(rows),
        "families": len({row["family"] for row in rows}),
        "weights": WEIGHT,
        "figures": {kind: figures(pairs(judged, kind, ALL)).document() for kind in WEIGHT},
    }
    content = stored(fit(known), familiar_of(met_in(rows, ruleset)), about)
    (asked.rules or PACKAGED).joinpath(FILE).write_text(content, encoding="utf-8")
    if asked.docs:
        _write_docs(asked.docs, about, judged, _outside(asked.outside, replace(ruleset, calibration=calibration_of(json.loads(content)))))
    print(json.dumps(about["figures"], indent=1))  # noqa: T201 - what it is asked for


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m gyrus.classifier.calibration", description=__doc__)
    parser.add_argument("headers", nargs="+", type=Path, help="labelled headers to fit on, .jsonl")
    parser.add_argument("--outside", nargs="*", type=Path, default=[], help="headers labelled by others, only to measure on")
    parser.add_argument("--docs", type=Path, help="where calibration.md and its pictures go")
    parser.add_argument("--rules", type=Path, help="a folder of rules; default: those of the package")
    return parser.parse_args()


def pairs(judged: Sequence[Judged], kind: str, axis: str) -> list[Pair]:
    """Probability and truth of one axis, or of `all`, in one kind."""
    of_kind = [one for one in judged if one.example.kind == kind]
    if axis == ALL:
        return [(one.sure[ALL], one.example.is_all_right) for one in of_kind if one.example.is_whole]
    return [(one.sure[axis], one.example.right[axis]) for one in of_kind if axis in one.example.right]


def stored(fitted: Calibration, familiar: Familiar, about: Mapping[str, Any]) -> str:
    """The fit as it is kept: keys sorted, so that a new one shows as a small difference."""
    content = {
        "about": about,
        "curves": {axis: asdict(curve) for axis, curve in fitted.curves.items()},
        "familiar": {name: sorted(met) for name, met in asdict(familiar).items()},
    }
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _digest(rows: Sequence[Row]) -> str:
    written = sorted(json.dumps(row, sort_keys=True) for row in rows)
    return hashlib.sha256("\n".join(written).encode()).hexdigest()[:16]


def _outside(paths: Sequence[Path], ruleset: Ruleset) -> dict[str, list[Pair]]:
    return {f"{path.stem}, not fitted on": pairs_of(rows_of([path]), ruleset) for path in paths}


def _write_docs(docs: Path, about: Mapping[str, Any], judged: Sequence[Judged], outside: Mapping[str, Sequence[Pair]]) -> None:
    unseen = {axis: pairs(judged, UNSEEN, axis) for axis in (ALL, *FITTED)}
    tables: dict[str, Mapping[str, Sequence[Pair]]] = {
        "All seven axes, by what was done to the header": {**{kind: pairs(judged, kind, ALL) for kind in WEIGHT}, **outside},
        "By axis, families unseen": unseen,
    }
    (docs / "calibration").mkdir(parents=True, exist_ok=True)
    (docs / "calibration.md").write_text(page(about, tables, unseen[ALL]), encoding="utf-8")
    (docs / "calibration" / "reliability.svg").write_text(reliability_chart(unseen), encoding="utf-8")
    (docs / "calibration" / "risk-coverage.svg").write_text(risk_chart(unseen), encoding="utf-8")


if __name__ == "__main__":
    main()
