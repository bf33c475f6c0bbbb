"""From fingerprint to six axes with evidence: how many stacks a core classifies in a second. Printed, never asserted.

Which stacks: the labelled vectors and the series of public data sets where `../shared/data` is present, else the examples of the rules.

*Without memory*: each stack alone, and the ruleset forgets everything before each of them (`Ruleset.memory.forget()`), which is the only
memo there is; readers are built before the clock starts. *A cohort*: the series of a public data set stand for the protocol of a study
(or twelve examples each); each protocol is scanned of twenty subjects, in mixed order, each stack with its own date, station, table
position and number of slices, which no rule reads, and one in ten with a repetition time of its own, as gating makes it. The memory is
empty when the clock starts. *With probability* adds the fitted probabilities and the reasons to look that follow from them, as a service
does it; *to documents* adds plain JSON too. CPU of one process, no threads.
"""

import json
import random
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.harness import median, print_table
from gyrus.classifier.core import Ruleset, classify_study, load_rules
from gyrus.classifier.core.probability import NOT_FITTED

ROUNDS, SUBJECTS, OWN_TIMING = 5, 20, 0.1
PROTOCOL = 12
DATA = Path(__file__).parents[3] / "shared" / "data"
VECTORS, SIDECARS = DATA / "classification_vectors.jsonl", DATA / "bids_sidecars.jsonl"
pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

Fingerprint = Mapping[str, Any]
Study = dict[str, Fingerprint]


@pytest.fixture(scope="module")
def rules() -> Ruleset:
    """Rules whose readers are built."""
    found = load_rules()
    for fingerprint in examples(found):
        classify_study({"s": fingerprint}, found)
    return found


def examples(rules: Ruleset) -> list[Fingerprint]:
    return [one for known in rules.axes.values() for rule in known for one in (*rule.rule.examples, *rule.rule.never)]


def stacks_of(rules: Ruleset) -> list[Fingerprint]:
    """Every stack once."""
    rows = [json.loads(line) for path in (VECTORS, SIDECARS) if path.exists() for line in path.read_text(encoding="utf-8").splitlines()]
    return [row["fingerprint"] for row in rows] or examples(rules)


def protocols_of(rules: Ruleset) -> list[list[Fingerprint]]:
    """What one study consists of, for each data set."""
    if not SIDECARS.exists():
        known = examples(rules)
        return [known[first : first + PROTOCOL] for first in range(0, len(known), PROTOCOL)]
    found: dict[str, list[Fingerprint]] = defaultdict(list)
    for line in SIDECARS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found[row["family"]].append(row["fingerprint"])
    return list(found.values())


def cohort_of(protocols: Iterable[list[Fingerprint]], chance: random.Random) -> list[Study]:
    """Each protocol with each subject, in mixed order."""
    studies = [
        {str(number): scanned(fingerprint, subject, chance) for number, fingerprint in enumerate(protocol)}
        for protocol in protocols
        for subject in range(SUBJECTS)
    ]
    chance.shuffle(studies)
    return studies


def scanned(fingerprint: Fingerprint, subject: int, chance: random.Random) -> Fingerprint:
    """The same protocol, another person."""
    own = {
        "study_date": f"2020-01-{subject + 1:02}",
        "station_name": "MR1",
        "table_position": chance.random(),
        "n_slices": chance.randint(20, 60),
    }
    time_ms = fingerprint.get("repetition_time")
    if isinstance(time_ms, int | float) and chance.random() < OWN_TIMING:
        own["repetition_time"] = time_ms + chance.randint(1, 40)
    return {**fingerprint, **own}


def without_memory_s(stacks: Iterable[Fingerprint], rules: Ruleset) -> float:
    started = time.process_time()
    for fingerprint in stacks:
        rules.memory.forget()
        classify_study({"s": fingerprint}, rules)
    return time.process_time() - started


def cohort_s(studies: Iterable[Study], rules: Ruleset, *, to_documents: bool) -> float:
    rules.memory.forget()
    started = time.process_time()
    for study in studies:
        verdicts = classify_study(study, rules)
        if to_documents:
            for verdict in verdicts.values():
                verdict.document()
    return time.process_time() - started


def test_from_fingerprint_to_six_axes(rules: Ruleset) -> None:
    stacks, studies = stacks_of(rules), cohort_of(protocols_of(rules), random.Random(1))
    in_cohort = sum(map(len, studies))
    different = len({rules.reader.key(one) for study in studies for one in study.values()})
    plain = replace(rules, calibration=NOT_FITTED)
    alone = {"each alone, without memory": plain, "the same with probability": rules}
    took: dict[str, list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        for name, by in alone.items():
            took[name].append(len(stacks) / without_memory_s(stacks, by))
        took["a cohort"].append(in_cohort / cohort_s(studies, plain, to_documents=False))
        took["the same with probability, to documents"].append(in_cohort / cohort_s(studies, rules, to_documents=True))
    many = dict.fromkeys(alone, (len(stacks), len(stacks)))
    rows = []
    for name, rates in took.items():
        count, unlike = many.get(name, (in_cohort, different))
        rows.append([name, f"{count:,}", f"{unlike:,}", f"{median(rates):,.0f}", f"{min(rates):,.0f}–{max(rates):,.0f}"])
    head = ["what", "stacks", "different", "stacks/s of a core", "smallest–largest"]
    print_table(f"Fingerprint to six axes with evidence, medians of {ROUNDS} rounds, CPU time", head, rows)
