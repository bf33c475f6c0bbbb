"""Events are contracts: what was published yesterday, by another version, is understood today."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from gyrus.shared import events
from gyrus.shared.events import Event
from gyrus.shared.topology import SUBJECTS

SAMPLES = Path(__file__).parent / "events"
EVENTS = {kind.__name__: kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event}
FIELDS = [(name, field) for name, kind in EVENTS.items() for field in kind.model_fields]
every_event = pytest.mark.parametrize("name", EVENTS)


def sample(name: str) -> bytes:
    """What a publisher sends; the file ends with a newline, the message does not."""
    return (SAMPLES / f"{name}.json").read_bytes().rstrip(b"\n")


def changed(name: str, **fields: object) -> bytes:
    return json.dumps(json.loads(sample(name)) | fields).encode()


def test_every_event_has_a_golden_sample_and_a_subject() -> None:
    assert {path.stem for path in SAMPLES.glob("*.json")} == EVENTS.keys()
    assert set(SUBJECTS) == set(EVENTS.values())


@every_event
def test_a_golden_sample_is_understood_and_printed_byte_for_byte(name: str) -> None:
    event = EVENTS[name].model_validate_json(sample(name))

    assert event.model_dump_json().encode() == sample(name)


@every_event
def test_a_field_of_a_later_version_is_ignored(name: str) -> None:
    event = EVENTS[name].model_validate_json(changed(name, a_field_of_tomorrow={"deep": [1, 2]}))

    assert event == EVENTS[name].model_validate_json(sample(name))


@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_a_missing_field_is_refused_and_named(name: str, field: str) -> None:
    less = {key: value for key, value in json.loads(sample(name)).items() if key != field}

    with pytest.raises(ValidationError) as refused:
        EVENTS[name].model_validate_json(json.dumps(less))

    assert [error["loc"] for error in refused.value.errors()] == [(field,)]


@pytest.mark.parametrize(("name", "field"), FIELDS)
@pytest.mark.parametrize("value", [None, [], {}, 1.5, "", -1], ids=repr)
def test_a_field_of_another_kind_is_refused(name: str, field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        EVENTS[name].model_validate_json(changed(name, **{field: value}))


@every_event
def test_an_event_names_documents_and_carries_nothing_else(name: str) -> None:
    assert EVENTS[name].model_fields.keys() <= {"cohort", "job", "batch", "study", "stack", "n"}
