"""Whether a contrast agent was given, as the structured fields say (0018,0010 and its neighbours)."""

from collections.abc import Mapping
from typing import Any

from gyrus.classifier.core import fields

NO_AGENT = frozenset(
    {
        "none",
        "no",
        "no contrast",
        "non contrast",
        "without",
        "without contrast",
        "n/a",
        "na",
        "0",
        "nil",
        "n",
        "-",
        "unenhanced",
        "plain",
        "nein",
        "keine",
        "keins",
        "ohne",
        "sin contraste",
    }
)
"""What people write into ContrastBolusAgent when nothing was given."""


def given(fingerprint: Mapping[str, Any], measured: Mapping[str, float]) -> str:
    """ "yes", "no", or empty where no field says anything. A volume of nothing is no agent."""
    agent = fields.text(fingerprint, "contrast_bolus_agent").lower() or _agent_of(str(fingerprint.get("contrast_search_blob") or ""))
    volume = measured.get("contrast_bolus_volume")
    if agent in NO_AGENT or agent.startswith("no ") or (volume == 0 and not agent):
        return "no"
    return "yes" if agent or (volume is not None and volume > 0) else ""


def blob(fingerprint: Mapping[str, Any]) -> str | None:
    """The seed's `contrast_search_blob`: `agent:X route:Y …`, lower case; None where no tag says anything. A given one is kept."""
    found = fingerprint.get("contrast_search_blob")
    if found:
        return str(found)
    parts = ((label, fields.text(fingerprint, name).lower()) for label, name in fields.CONTRAST_FIELDS.items())
    return " ".join(f"{label}:{value}" for label, value in parts if value) or None


def _agent_of(written: str) -> str:
    """The agent of a blob as the seed writes it, or the whole blob where it has no labels."""
    labelled = written.lower().partition("agent:")[2]
    if labelled:
        return labelled.partition(" route:")[0].partition(" dose:")[0].partition(" volume:")[0].strip()
    return "" if ":" in written else written.strip().lower()
