"""The classifier as a service: every stack of a study gets its label, and owes a volume where its label asks for another one."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, PositiveInt

from gyrus.classifier.core import Verdict, classify_study
from gyrus.classifier.core.loader import read_rules
from gyrus.classifier.rulebook import Rulebook
from gyrus.shared import crash, debts
from gyrus.shared.bells import bell
from gyrus.shared.policy import Policy
from gyrus.shared.service import Service
from gyrus.shared.settings import Settings
from gyrus.shared.store import AFTER
from gyrus.shared.topology import STAGES
from gyrus.shared.workers import Workers

PRELOAD = ["gyrus.classifier.comparing"]
Document = dict[str, Any]
NO_POLICY = {"classification.of.ruleset": {"$type": "string"}, "classification.of.policy": None}  # labels of before there were policies


class ClassifierSettings(Policy, Settings):
    """What the classifier needs."""

    rules: Path | None = Field(None, description="A folder of rules; default: those that come with the package.")
    renew_every_s: float = Field(60, ge=0, description="How often labels of another ruleset are looked for; 0: never.")
    rules_every_s: float = Field(1, ge=0, description="How often rules to compare or apply are looked for; 0: never.")
    classify_workers: int = Field(4, ge=1, description="Studies in hand at once.")
    compare_workers: PositiveInt = Field(2, description="Processes that compare stored labels with other rules, once some are proposed.")


class Classifier:
    """Labels studies by the active rules, and says by one policy of which stacks volumes are made."""

    def __init__(self, service: Service, rulebook: Rulebook, policy: Policy) -> None:
        self.store, self.bus, self.rulebook, self.policy = service.store, service.bus, rulebook, policy

    async def classify(self, study: str) -> None:
        """Pay `classify` on a study: read `n`, load, classify together, write every result that still holds, clear, ring."""
        await crash.point("classify.1")
        document = await self.store["studies"].find_one({"_id": study, **debts.is_owed("classify")})
        if document is None:
            return
        n = debts.n_of(document, "classify")
        await crash.point("classify.2")
        active = await self.rulebook.active()
        ruleset = await self.rulebook.ruleset(active["ruleset"])
        found = self.store["stacks"].find({"study": study, "retired": False}, {"fingerprint": 1, "version": 1, "series": 1})
        stacks = {stack["_id"]: stack async for stack in found}
        corrections = await self.rulebook.pins({stack["series"] for stack in stacks.values()})
        await crash.point("classify.3")
        fingerprints = {id_: stack["fingerprint"] for id_, stack in stacks.items()}
        verdicts = await asyncio.to_thread(classify_study, fingerprints, ruleset, corrections)
        for id_, verdict in sorted(verdicts.items()):
            await self._write((study, n), stacks[id_], verdict, ruleset.digest)
        if (await self.rulebook.active())["ruleset"] != active["ruleset"]:
            await self.classify(study)  # other rules were made active meanwhile: their `apply` may have seen the labels of before
            return
        await crash.point("classify.5")
        await self.store["studies"].update_one({"_id": study, **debts.unmoved("classify", n)}, debts.paid("classify"))
        await crash.point("classify.6")
        # All that owe, not only those written now: a classifier that died between siblings told nobody of the first ones.
        async for stack in self.store["stacks"].find({"study": study, **debts.is_owed("preprocess")}, {"cohort": 1, "owed": 1}):
            await self.bus.ring(*bell(STAGES["preprocess"], stack))

    async def _write(self, turn: tuple[str, int], stack: Mapping[str, Any], verdict: Verdict, ruleset: str) -> None:
        """Write one label, where version, study and context hold; owe `preprocess` where version or plan differ from the former label's."""
        await crash.point("classify.4")
        (study, n), said = turn, verdict.document()
        plan = self.policy.plan(stack["fingerprint"].get("modality"), said)
        of = {"version": stack["version"], "ruleset": ruleset, "policy": self.policy.digest}
        label = {**said, "digest": verdict.digest, "of": of, "plan": plan}
        holds = {
            "_id": stack["_id"],
            "version": stack["version"],
            "study": study,
            "retired": False,
            "$or": [{"context.study": {"$ne": study}}, {"context.n": {"$lt": n}}],
        }
        result = {"$set": {"classification": {"$literal": label}, "context": {"$literal": {"study": study, "n": n}}}}
        same = {"classification.of.version": stack["version"], "classification.plan": plan}
        if not (await self.store["stacks"].update_one({**holds, **same}, [result])).matched_count:
            await self.store["stacks"].update_one(holds, [result, *debts.owe("preprocess")])

    async def renew(self) -> None:
        """Studies whose labels another ruleset or policy made are owed again: those of before, and those of a replica that is replaced."""
        active = await self.rulebook.active()
        by_other_rules = {"classification.of.ruleset": {"$type": "string", "$nin": [active["digest"], *active["same"]]}}
        by_other_policy = {"classification.of.policy": {"$type": "string", "$ne": self.policy.digest}}
        other = {"$or": [by_other_rules, by_other_policy, NO_POLICY], "retired": False}
        seen: set[str] = set()
        async for stack in self.store["stacks"].find(other, {"study": 1}):
            if stack["study"] in seen:
                continue
            seen.add(stack["study"])
            owed = await self.store["studies"].find_one_and_update({"_id": stack["study"]}, debts.owe("classify"), return_document=AFTER)
            if owed:
                await self.bus.ring(*bell(STAGES["classify"], owed))


def make() -> Service:
    """The classifier, wired."""
    settings = ClassifierSettings()
    service = Service("classifier", settings)
    workers = Workers(settings.compare_workers, PRELOAD)
    service.at_end(workers.close)
    rulebook = Rulebook(service, read_rules(settings.rules), workers)
    classifier = Classifier(service, rulebook, settings)
    service.answers("classify", classifier.classify, workers=settings.classify_workers)
    service.every(settings.rules_every_s, "rules", rulebook.look)
    service.every(settings.renew_every_s, "renew", classifier.renew)
    return service
