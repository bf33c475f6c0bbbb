"""Other rules over 50,000 stored stacks, MongoDB included: how long comparing, applying and undoing take. Printed, never asserted.

The stacks are the cohort of `test_classify`: protocols scanned again and again, each stack with numbers of its own. Studies are labelled
by the classifier's own core and stored as the services store them. `apply` is timed until the version is active and all that differs is
owed; *classified anew* until the classifier has paid that too.
"""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.harness import PATIENCE_S, TICKS_PER_S, print_table, until
from bench.test_classify import cohort_of, protocols_of
from flow.asking import Person
from flow.system import System
from gyrus.classifier.core import Ruleset, classify_study, load_rules
from gyrus.console.servers import Mongo
from gyrus.shared import debts
from gyrus.shared.policy import Policy
from gyrus.shared.store import Store

STACKS, MORE = int(os.environ.get("GYRUS_BENCH_STACKS", "50000")), 450_000
CHUNK = 2000
OVERLAYS = {
    "one rule retired": "retire: [technique.VFA-TSE]",
    "one weight changed": "change:\n  technique.UTE: {confidence_weight: 0.9}",
    "nothing": "",
}
pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600), pytest.mark.asyncio]

Document = dict[str, Any]


def documents(rules: Ruleset) -> Iterator[tuple[Document, list[Document]]]:
    """Studies with their labelled stacks, for ever."""
    chance, number, policy = random.Random(1), 0, Policy()
    while True:
        for study in cohort_of(protocols_of(rules), chance):
            name, number = f"c/1.{number}", number + 1
            verdicts = classify_study(study, rules)
            yield (
                {"_id": name, "cohort": "c", "subject": f"c/S{number}"},
                [
                    {
                        "_id": f"{name}.{series}/0",
                        **{"cohort": "c", "series": f"{name}.{series}", "study": name, "subject": f"c/S{number}", "retired": False},
                        "version": "v",
                        "fingerprint": dict(fingerprint),
                        "classification": {
                            **verdicts[series].document(),
                            "digest": verdicts[series].digest,
                            "of": {"version": "v", "ruleset": rules.digest, "policy": policy.digest},
                            "plan": policy.plan(fingerprint.get("modality"), verdicts[series].document()),
                        },
                        "context": {"study": name, "n": 1},
                    }
                    for series, fingerprint in study.items()
                ],
            )


async def fill(store: Store, rules: Ruleset) -> int:
    """Store STACKS stacks, whole studies; how many."""
    count, studies, stacks = 0, [], []
    for study, own in documents(rules):
        studies.append(study)
        stacks += own
        if len(stacks) >= CHUNK or count + len(stacks) >= STACKS:
            await store.insert_new("studies", studies)
            await store.insert_new("stacks", stacks)
            count, studies, stacks = count + len(stacks), [], []
        if count >= STACKS:
            return count
    return count


async def test_comparing_and_applying_rules(mongo: Mongo, tmp_path: Path) -> None:
    system = await System(tmp_path, mongo).open()
    try:
        stored = await fill(system.store, load_rules())
        classifier = system.start("classifier", GYRUS_RULES_EVERY_S="0.05", GYRUS_RENEW_EVERY_S="0", GYRUS_ACK_WAIT_S="900")
        person = await Person(system, PATIENCE_S).arrives()
        await until(lambda: system.store["rulesets"].find_one({"_id": "active"}), "the rules are published")
        former = (await person.get("/rules/active"))["id"]
        rows = [await _measured(system, person, name, (former, classifier.process.pid)) for name in OVERLAYS]
        await person.client.aclose()
    finally:
        await system.close()

    print_table(
        f"other rules over {stored:,} stored stacks",
        (
            "overlay",
            "change",
            "compare, s",
            f"for {MORE:,}",
            "apply, s",
            f"for {MORE:,}",
            "CPU of both, s",
            "studies owed",
            "classified anew, s",
            "undo, s",
        ),
        rows,
    )


async def _measured(system: System, person: Person, name: str, given: tuple[str, int]) -> tuple[Any, ...]:
    (former, process), started = given, time.monotonic()
    used = _cpu_s(process)
    version = await person.proposes(OVERLAYS[name])
    compared = time.monotonic()
    applied_version = await person.applies(version["id"])
    applied, used = time.monotonic(), _cpu_s(process) - used
    paid = await until(lambda: _paid(system.store), "everything is classified anew")
    await person.applies(former)
    undone = time.monotonic()
    await until(lambda: _paid(system.store), "everything is classified anew")
    factor = MORE / version["diff"]["n"]
    spans = (compared - started, applied - compared)
    assert applied_version["applied"]["changed"] == version["diff"]["changed"]
    return (
        name,
        version["diff"]["changed"],
        f"{spans[0]:.1f}",
        f"{spans[0] * factor:.0f}",
        f"{spans[1]:.1f}",
        f"{spans[1] * factor:.0f}",
        f"{used:.1f}",
        version["diff"]["studies"],
        f"{paid - applied:.1f}",
        f"{undone - paid:.1f}",
    )


async def _paid(store: Store) -> bool:
    return not await store["studies"].find_one(debts.is_owed("classify"), {"_id": 1})


def _cpu_s(process: int) -> float:
    """CPU of the classifier until now; MongoDB's comes on top."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S
