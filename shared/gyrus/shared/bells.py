"""The bell of a debt: which event rings for a document that owes a stage, and the message id under which it is published."""

from collections.abc import Mapping
from typing import Any

from gyrus.shared import debts
from gyrus.shared.events import Event
from gyrus.shared.topology import Stage


def bell(stage: Stage, document: Mapping[str, Any]) -> tuple[Event, str]:
    """Event and message id for a document ({_id, cohort, owed}); the id names the debt, so that a repeated publication vanishes."""
    assert stage.event, f"{stage.name} has no bell"
    n = debts.n_of(dict(document), stage.name)
    fields: dict[str, Any] = {"cohort": document["cohort"], stage.names: document["_id"]}
    if "n" in stage.event.model_fields:
        fields["n"] = n
    return stage.event(**fields), f"{stage.name}:{document['_id']}:{n}"
