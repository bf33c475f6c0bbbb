"""The table of streams, subjects and stages says each thing once, and its parts fit."""

from collections import Counter

import pytest

from gyrus.shared import topology
from gyrus.shared.bells import bell
from gyrus.shared.store import COLLECTIONS
from gyrus.shared.topology import STAGES, STREAMS, SUBJECTS, Stage, stream_of

BELLS = [stage for stage in STAGES.values() if stage.event]
every_bell = pytest.mark.parametrize("stage", BELLS, ids=lambda stage: stage.name)


def test_every_subject_is_in_exactly_one_stream_and_every_stream_holds_known_subjects() -> None:
    stored = Counter(subject for stream in STREAMS for subject in stream.subjects)

    assert stored == dict.fromkeys(SUBJECTS.values(), 1)
    assert len({stream.name for stream in STREAMS}) == len(STREAMS)


def test_the_stages_are_those_of_the_design_in_the_order_of_the_flow() -> None:
    assert {stage.name: (stage.collection, stage.room) for stage in STAGES.values()} == {
        "scan": ("jobs", "watcher"),
        "read": ("batches", "extractor"),
        "settle": ("series", "extractor"),
        "classify": ("studies", "classifier"),
        "preprocess": ("stacks", "preprocessor"),
        "diff": ("rulesets", "classifier"),
        "apply": ("rulesets", "classifier"),
        "delete": ("deletions", "extractor"),
    }
    assert {stage.collection for stage in STAGES.values()} <= set(COLLECTIONS)


def test_what_its_room_looks_for_has_no_bell() -> None:
    assert [stage.name for stage in STAGES.values() if stage.event is None] == ["settle", "diff", "apply", "delete"]


@every_bell
def test_a_stage_hears_its_event_in_the_stream_that_stores_it(stage: Stage) -> None:
    assert stage.event
    assert stream_of(SUBJECTS[stage.event]) == stage.stream


@every_bell
def test_a_stage_finds_its_document_in_the_field_that_it_names(stage: Stage) -> None:
    document = {"_id": "c/1.2", "cohort": "c", "owed": {stage.name: {"n": 4}}}

    event, message_id = bell(stage, document)

    assert type(event) is stage.event
    assert getattr(event, stage.names) == "c/1.2"
    assert message_id == f"{stage.name}:c/1.2:4"


def test_no_two_stages_of_one_stream_hear_the_same_subject() -> None:
    """A work queue gives a message to one consumer; two that overlap are refused by the server."""
    heard = Counter(SUBJECTS[stage.event] for stage in BELLS if stage.event)

    assert set(heard.values()) == {1}


def test_only_the_files_stream_is_bounded_so_that_the_watcher_is_held_back() -> None:
    work = {stream.name: stream.max_messages for stream in STREAMS if stream.work}

    assert min(work, key=lambda name: work[name]) == "FILES"
    assert stream_of("gyrus.files.found") == "FILES"


def test_delays_grow_and_there_is_one_between_any_two_tries() -> None:
    assert list(topology.RETRY_FACTORS) == sorted(topology.RETRY_FACTORS)
    assert len(topology.RETRY_FACTORS) == topology.MAX_TRIES - 1
