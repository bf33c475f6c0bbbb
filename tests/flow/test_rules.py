"""Other rules change what they said they would and nothing else, may be undone, and never what a person set."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from flow import cohort
from flow.asking import Person
from flow.system import System

SITE = """
add:
  technique.SITE-MPRAGE:
    name: Ours
    detection: {keywords: [oursequence]}
    refines: [MPRAGE, GRE]
    examples: [{modality: MR, series_description: oursequence, scanning_sequence: GR}]
    never: [{modality: MR, series_description: mprage}]
"""
OURS, OTHER = "oursequence", "t1_mprage"


def write(inbox: Path, series: str, study: str, count: int = cohort.SLICES, tick: int = 0, **fields: Any) -> None:
    for number in range(count):
        cohort.write(inbox / f"{series}/{number}.dcm", cohort.image(series, number, study=study, **fields), tick)


@pytest_asyncio.fixture
async def person(system: System) -> AsyncIterator[Person]:
    """Two studies, labelled; one of them has a series that a site's rule knows."""
    write(system.inbox, OURS, "one")
    write(system.inbox, OTHER, "two")
    for room in ("watcher", "extractor", "classifier", "preprocessor"):
        system.start(room, GYRUS_RULES_EVERY_S="0.2", GYRUS_RENEW_EVERY_S="0.5")
    await rested(system)
    somebody = await Person(system).arrives()
    yield somebody
    await somebody.client.aclose()


async def rested(system: System) -> None:
    await system.ingest()
    await system.at_rest()


async def labels(system: System) -> dict[str, Any]:
    """By stack: label and the turn in which it was made, without which rules made it."""
    found = {}
    async for stack in system.store["stacks"].find({"retired": False}).sort("_id"):
        label = {name: value for name, value in stack["classification"].items() if name != "of"}
        found[stack["_id"]] = {"label": label, "context": stack["context"]}
    return found


def only_labels(found: dict[str, Any]) -> dict[str, Any]:
    return {stack: one["label"] for stack, one in found.items()}


async def stack_of(system: System, series: str) -> str:
    [stack] = await system.store["stacks"].find({"series": f"c/{cohort.uid(series)}", "retired": False}).to_list(None)
    return str(stack["_id"])


async def test_a_comparison_touches_nothing_and_applying_changes_what_it_said_until_it_is_undone(system: System, person: Person) -> None:
    before = await labels(system)
    ours = await stack_of(system, OURS)
    former = (await person.get("/rules/active"))["id"]

    version = await person.proposes(SITE)

    assert version["state"] == "ready"
    assert (version["diff"]["n"], version["diff"]["changed"], version["diff"]["studies"]) == (2, 1, 1)
    assert version["diff"]["moves"] == [{"axis": "technique", "from": "MPRAGE", "to": "SITE-MPRAGE", "n": 1}]
    assert version["diff"]["rules"] == [
        {"rule": "technique.MPRAGE", "gained": 0, "lost": 1},
        {"rule": "technique.SITE-MPRAGE", "gained": 1, "lost": 0},
    ]
    assert [one["stack"] for one in version["diff"]["stacks"]] == [ours]
    assert await labels(system) == before

    assert (await person.applies(version["id"]))["state"] == "ready"
    await system.at_rest()
    after = await labels(system)

    assert after[ours]["label"]["technique"] == "SITE-MPRAGE"
    assert {stack for stack in after if after[stack] != before[stack]} == {ours}
    assert (await person.get("/rules/active"))["id"] == version["id"]

    await person.applies(former)
    await system.at_rest()

    assert only_labels(await labels(system)) == only_labels(before)
    assert {"propose rules", "apply rules"} <= {one["what"] async for one in system.store["audit"].find({})}


@pytest.mark.parametrize("point", ["apply.2", "apply.3", "apply.4", "apply.5"])
async def test_who_dies_while_rules_are_applied_leaves_nothing_half_applied(system: System, person: Person, point: str) -> None:
    version = await person.proposes(SITE)
    next(room for room in system.rooms if room.name == "classifier").stop()
    dying = system.start("classifier", {point: "kill"}, GYRUS_RULES_EVERY_S="0.2")
    await person.post(f"/rules/{version['id']}/apply")
    await dying.dies()

    system.start("classifier", GYRUS_RULES_EVERY_S="0.2", GYRUS_RENEW_EVERY_S="0.5")
    await person.awaited(version["id"])
    await system.at_rest()
    again = await person.proposes(SITE)

    assert (await labels(system))[await stack_of(system, OURS)]["label"]["technique"] == "SITE-MPRAGE"
    assert (again["diff"]["changed"], again["diff"]["evidence_only"]) == (0, 0)
    assert (await person.get("/rules/active"))["id"] == version["id"]


async def test_wrong_rules_are_told_with_file_and_line_and_cannot_be_applied(person: Person) -> None:
    version = await person.proposes("retire:\n  - construct.Kepp")

    assert (version["state"], version["error"][:29]) == ("wrong", "site.yaml:2: axis 'construct'")
    refused = await person.post(f"/rules/{version['id']}/apply", code=409)
    assert "did you mean 'Kep'?" in refused["detail"]


async def test_rules_whose_examples_are_not_kept_cannot_be_applied_even_by_who_did_not_wait(person: Person) -> None:
    site = SITE.replace("series_description: oursequence", "series_description: another")
    version = await person.post("/rules", {"overlay": site, "name": "site.yaml"}, 201)
    former = (await person.get("/rules/active"))["id"]

    asked = await person.client.post(f"/rules/{version['id']}/apply")
    found = await person.awaited(version["id"])

    assert asked.status_code in (200, 409)
    assert (found["state"], found["error"]) == ("wrong", "site.yaml:7: this example of technique should be SITE-MPRAGE, and is GRE")
    assert (await person.get("/rules/active"))["id"] == former


async def test_an_empty_file_stands_for_our_rules_as_they_are(person: Person) -> None:
    version = await person.proposes("# nothing yet\n")

    assert (version["state"], version["says"]) == ("ready", "nothing retired, added or changed: our rules as they are")
    assert version["digest"] == (await person.get("/rules/active"))["digest"]


async def test_rules_that_break_what_a_person_and_the_active_rules_say_are_refused(system: System, person: Person) -> None:
    ours, other = await stack_of(system, OURS), await stack_of(system, OTHER)
    await person.corrects(ours, "technique", "MPRAGE")
    await person.corrects(other, "base", "T2w")
    await system.at_rest()
    before = await labels(system)

    refused = await person.applies((await person.proposes(SITE))["id"])

    assert refused["state"] == "refused"
    assert {(one["stack"], one["axis"], one["breaks"]) for one in refused["refused"]} == {(ours, "technique", True), (other, "base", False)}
    assert await labels(system) == before

    await person.corrects(ours, "technique", None, withdrawn=True)
    await system.at_rest()

    assert (await person.applies(refused["id"]))["state"] == "ready"


async def test_a_correction_stands_when_rules_retire_its_value(system: System, person: Person) -> None:
    ours = await stack_of(system, OURS)
    await person.corrects(ours, "construct", ["Kep"])
    await system.at_rest()

    version = await person.proposes("retire: [construct.Kep]")
    assert (version["state"], [one["breaks"] for one in version["diff"]["corrections"]]) == ("ready", [False])

    assert (await person.applies(version["id"]))["state"] == "ready"
    await system.at_rest()

    assert (await labels(system))[ours]["label"]["construct"] == ["Kep"]


async def test_a_correction_that_was_carried_over_is_not_broken_either(system: System, person: Person) -> None:
    await person.corrects(await stack_of(system, OURS), "technique", "MPRAGE")
    write(system.inbox, OURS, "one", FlipAngle=12, tick=60)
    await rested(system)

    refused = await person.applies((await person.proposes(SITE))["id"])

    assert (refused["state"], [one["stack"] for one in refused["refused"]]) == ("refused", [await stack_of(system, OURS)])


async def test_of_versions_applied_at_once_the_one_asked_for_last_is_active(system: System, person: Person) -> None:
    first, second = (await person.proposes(SITE))["id"], (await person.proposes("retire: [construct.Kep]"))["id"]
    next(room for room in system.rooms if room.name == "classifier").stop()
    for version in (second, first):
        await person.post(f"/rules/{version}/apply")

    system.start("classifier", GYRUS_RULES_EVERY_S="0.2", GYRUS_RENEW_EVERY_S="0.5")
    await person.awaited(second)
    await person.awaited(first)

    assert (await person.get("/rules/active"))["id"] == first


async def test_the_list_of_versions_has_pages_of_one_to_a_thousand(person: Person) -> None:
    for limit in (-5, 0, 1001):
        assert (await person.client.get("/rules", params={"limit": limit})).status_code == 422


async def test_a_correction_stands_when_rules_are_applied_and_a_late_file_comes(system: System, person: Person) -> None:
    ours = await stack_of(system, OURS)
    await person.corrects(ours, "base", "T2w")
    await system.at_rest()
    first = (await labels(system))[ours]["label"]

    await person.applies((await person.proposes(SITE))["id"])
    write(system.inbox, OURS, "one", count=cohort.SLICES + 1)
    await rested(system)

    label = (await labels(system))[ours]["label"]
    assert (first["base"], first["probability"]["base"], first["evidence"]["base"][0]["source"]) == ("T2w", 1.0, "correction")
    assert (label["base"], label["technique"]) == ("T2w", "SITE-MPRAGE")
    assert [(one["state"], one["value"], one["was"], one["by"]) for one in (await person.get("/corrections"))["items"]] == [
        ("stands", "T2w", "T1w", "tester")
    ]


async def test_a_correction_goes_with_a_stack_whose_identity_changes_or_waits_for_a_person(system: System, person: Person) -> None:
    ours = await stack_of(system, OURS)
    await person.corrects(ours, "base", "T2w")
    write(system.inbox, OURS, "one", FlipAngle=12, tick=60)
    await rested(system)
    heir = await stack_of(system, OURS)

    assert heir != ours
    assert (await labels(system))[heir]["label"]["base"] == "T2w"
    [carried] = (await person.get("/corrections"))["items"]
    assert (carried["state"], carried["stack"], carried["corrected"]) == ("carried over", heir, ours)
    assert [(one["id"], one["expected"]) for one in await person.get("/corrections/labels")] == [(heir, {"base": "T2w"})]

    for number in range(cohort.SLICES):
        more = {"EchoTime": 2.98 if number % 2 else 8.0, "FlipAngle": 14}
        cohort.write(system.inbox / f"{OURS}/{number}.dcm", cohort.image(OURS, number, study="one", **more), 120)
    await rested(system)

    assert {(one["state"], one["stack"]) for one in (await person.get("/corrections"))["items"]} == {("waits", ours)}
    assert await person.get("/corrections/labels") == []


@pytest.mark.parametrize(
    ("axis", "value", "says"),
    [("tecnique", "TSE", "no axis"), ("base", "T9w", "no value 'T9w'"), ("base", ["T1w"], "one value"), ("modifier", "FLAIR", "a list")],
)
async def test_a_correction_to_what_the_active_rules_do_not_know_is_refused_at_the_door(
    system: System, person: Person, axis: str, value: Any, says: str
) -> None:
    said = {"stack": await stack_of(system, OURS), "axis": axis, "value": value, "reason": "a test", "by": "t"}

    assert says in (await person.post("/corrections", said, 409))["detail"]
    assert await system.store["corrections"].count_documents({}) == 0
