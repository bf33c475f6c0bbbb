"""The classifier as a service: every stack of a study gets its label, and owes a volume where its label asks for another one."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from gyrus.classifier.core import Ruleset, Verdict, classify_study, load_rules
from gyrus.shared import crash, debts
from gyrus.shared.bells import bell
from gyrus.shared.policy import Policy
from gyrus.shared.service import Service
from gyrus.shared.settings import Settings
from gyrus.shared.store import AFTER
from gyrus.shared.topology import STAGES

Document = dict[str, Any]
NO_POLICY = {"classification.of.ruleset": {"$type": "string"}, "classification.of.policy": None}  # labels of before there were policies


class ClassifierSettings(Policy, Settings):
    """What the classifier needs."""

    rules: Path | None = Field(None, description="A folder of rules; default: those that come with the package.")
    renew_every_s: float = Field(60, ge=0, description="How often labels of another ruleset are looked for; 0: never.")
    classify_workers: int = Field(4, ge=1, description="Studies in hand at once.")


class Classifier:
    """Labels studies by one ruleset, and says by one policy of which stacks volumes are made."""

    def __init__(self, service: Service, ruleset: Ruleset, policy: Policy) -> None:
        self.store, self.bus, self.ruleset, self.policy = service.store, service.bus, ruleset, policy

    async def classify(self, study: str) -> None:
        """Pay `classify` on a study: read `n`, load, classify together, write every result that still holds, clear, ring."""
        await crash.point("classify.1")
        document = await self.store["studies"].find_one({"_id": study, **debts.is_owed("classify")})
        if document is None:
            return
        n = debts.n_of(document, "classify")
        await crash.point("classify.2")
        found = self.store["stacks"].find({"study": study, "retired": False}, {"fingerprint": 1, "version": 1})
        stacks = {stack["_id"]: stack async for stack in found}
        corrections = await self.store["corrections"].find({"stack": {"$in": list(stacks)}}).sort("_id").to_list(None)
        await crash.point("classify.3")
        fingerprints = {id_: stack["fingerprint"] for id_, stack in stacks.items()}
        verdicts = await asyncio.to_thread(classify_study, fingerprints, self.ruleset, corrections)
        for id_, verdict in sorted(verdicts.items()):
            await self._write(study, n, stacks[id_], verdict)
        await crash.point("classify.5")
        await self.store["studies"].update_one({"_id": study, **debts.unmoved("classify", n)}, debts.paid("classify"))
        await crash.point("classify.6")
        # All that owe, not only those written now: a classifier that died between siblings told nobody of the first ones.
        async for stack in self.store["stacks"].find({"study": study, **debts.is_owed("preprocess")}, {"cohort": 1, "owed": 1}):
            await self.bus.ring(*bell(STAGES["preprocess"], stack))

    async def _write(self, study: str, n: int, stack: Mapping[str, Any], verdict: Verdict) -> None:
        """Write one label, where version, study and context hold; owe `preprocess` where version or plan differ from the former label's."""
        await crash.point("classify.4")
        said = verdict.document()
        plan = self.policy.plan(stack["fingerprint"].get("modality"), said)
        of = {"version": stack["version"], "ruleset": self.ruleset.digest, "policy": self.policy.digest}
        label = {**said, "of": of, "plan": plan}
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
        others = {"ruleset": self.ruleset.digest, "policy": self.policy.digest}
        by_another = [{f"classification.of.{of}": {"$type": "string", "$ne": mine}} for of, mine in others.items()]
        other = {"$or": [*by_another, NO_POLICY], "retired": False}
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
    classifier = Classifier(service, load_rules(settings.rules), settings)
    service.answers("classify", classifier.classify, workers=settings.classify_workers)
    service.every(settings.renew_every_s, "renew", classifier.renew)
    return service
