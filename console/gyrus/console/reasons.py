"""The reasons for a label, for people: axis by axis the rules that spoke, and what the nearest one lacked where none did."""

from collections.abc import Iterator, Mapping
from typing import Any

from gyrus.console.render import table

Document = Mapping[str, Any]

COLUMNS = ("axis", "rule", "fate", "confidence", "because")
NOTHING_NEAR = "of no rule anything holds"


def page(title: str, explanation: Mapping[str, Document]) -> None:
    """One stack: a row for each rule that spoke, the chosen one first, then doubts and what was lacked."""
    rows = [row for axis, told in explanation.items() for row in _rows(axis, told)]
    table(rows, COLUMNS, title, wraps=("because", "fate"))


def _rows(axis: str, told: Document) -> Iterator[dict[str, Any]]:
    first = {"axis": axis}
    for row in _told(told):
        yield {**first, **row}
        first = {"axis": ""}


def _told(told: Document) -> Iterator[dict[str, Any]]:
    if told["silence"]:
        yield {"rule": "–", "fate": told["silence"]}
    elif not told["value"] or told["value"] == "unknown":
        yield {"rule": "–", "fate": "no answer", "because": _lacking(told["nearest"])}
    elif not any(one["fate"] == "chosen" for one in told["rules"]):
        yield {"rule": told["value"], "fate": "chosen", "confidence": told["confidence"], "because": _because(told["evidence"])}
    for one in told["rules"]:
        fate = "runner-up" if one["value"] == told["runner_up"] and one["fate"] == "lost" else one["fate"]
        yield {"rule": one["rule"], "fate": fate, "confidence": one["confidence"], "because": _because(one["evidence"])}
    for doubt in told["doubts"]:
        yield {"fate": "doubt", "because": doubt}


def _because(evidence: list[Document]) -> str:
    return "; ".join(f'{one["field"]} "{one["value"]}" ({one["source"]} {one["weight"]:g})' for one in evidence)


def _lacking(near: Document | None) -> str:
    if near is None:
        return NOTHING_NEAR
    held = f", with {', '.join(near['held'])}" if near["held"] else ""
    return f"nearest: {near['rule']}{held}; it lacked {', '.join(near['lacked'])}"
