"""The rulesets of the database: which one is active, what another one would change, and making it active.

`rulesets` holds one document for each version, with all that was written in it, and one with the id `active` that names the version that
labels are made by. `same` there are digests of rules whose stored labels hold under the active ones: those that an `apply` did not owe.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from gyrus.classifier.comparing import Compared, compare
from gyrus.classifier.core import Ruleset, RulesetError, classify_study
from gyrus.classifier.core.axes import AXES
from gyrus.classifier.core.diff import Tally, broken
from gyrus.classifier.core.loader import Written
from gyrus.classifier.core.proof import Checked, checked
from gyrus.classifier.core.stored import content_of, ruleset_from
from gyrus.classifier.core.yaml_lines import page_of
from gyrus.shared import crash, debts
from gyrus.shared.bells import bell
from gyrus.shared.corrections import pins
from gyrus.shared.documents import ACTIVE, EVERYWHERE
from gyrus.shared.service import Service
from gyrus.shared.store import AFTER, UpdateOne
from gyrus.shared.topology import STAGES
from gyrus.shared.workers import Workers

Document = dict[str, Any]
CHUNK = 2000  # stacks that a worker compares at once
LIMIT_S = 600  # for them
SHOWN = {"fingerprint": 1, "study": 1, "classification.digest": 1, **{f"classification.{axis}": 1 for axis in AXES}}


class Rulebook:
    """The rules of all classifiers of a database."""

    def __init__(self, service: Service, own: Written, workers: Workers) -> None:
        self.service, self.store, self.bus, self.own, self.workers = service, service.store, service.bus, own, workers
        self._published = False
        self._known: dict[str, str] = {}  # id → content; a version never changes

    # ── which rules ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def publish(self) -> None:
        """Write down the rules that this process came with, and make them active unless a person made others so; once."""
        if self._published:
            return
        content = content_of(self.own)
        ruleset = await asyncio.to_thread(ruleset_from, content)
        id_ = f"packaged-{ruleset.digest[:16]}"
        document = {"_id": id_, "cohort": EVERYWHERE, "packaged": True, **described(ruleset), "content": content}
        await self.store.insert("rulesets", document)
        active = {"_id": ACTIVE, "cohort": EVERYWHERE, "packaged": True, "ruleset": id_, "digest": ruleset.digest, "same": []}
        if not await self.store.insert("rulesets", active):
            others = {"_id": ACTIVE, "packaged": True, "digest": {"$ne": ruleset.digest}}
            await self.store["rulesets"].update_one(others, {"$set": {"ruleset": id_, "digest": ruleset.digest, "same": []}})
        self._published = True

    async def active(self) -> Document:
        """The document that names the active version."""
        await self.publish()
        found = await self.store["rulesets"].find_one({"_id": ACTIVE})
        assert found is not None
        return found

    async def ruleset(self, id_: str) -> Ruleset:
        """A version, ready. Raises RulesetError where this gyrus no longer understands it."""
        if id_ not in self._known:
            found = await self.store["rulesets"].find_one({"_id": id_}, {"content": 1})
            if found is None or "content" not in found:
                raise RulesetError(Path(id_), 1, "this version of the rules is not stored; apply another one")
            self._known[id_] = found["content"]
        return await asyncio.to_thread(ruleset_from, self._known[id_])

    async def pins(self, series: Collection[str]) -> list[Document]:
        """What people set of stacks of these series, or of retired ones whose place those took."""
        said = await self.store["corrections"].find({"series": {"$in": sorted(series)}}).sort("_id").to_list(None)
        if not said:
            return []
        named = sorted({one["series"] for one in said})
        return pins(said, await self.store["stacks"].find({"series": {"$in": named}}, {"series": 1, "retired": 1}).to_list(None))

    # ── what a person asked for ──────────────────────────────────────────────────────────────────────────────────────

    async def look(self) -> None:
        """Compare and apply what is owed, in the order in which it was asked for: what was asked for last is what becomes active."""
        await self.publish()
        for stage, work in (("diff", self.diff), ("apply", self.apply)):
            for found in await self.store["rulesets"].find(debts.is_owed(stage), {"_id": 1}).sort(f"owed.{stage}.since").to_list(None):
                await self.service.try_once(STAGES[stage], work, found["_id"])
                if stage == "apply" and await self.store["rulesets"].find_one({"_id": found["_id"], **debts.is_owed(stage)}, {"_id": 1}):
                    break  # in another replica's hand, or interrupted: what was asked for later waits for it

    async def diff(self, id_: str) -> None:
        """Say what a version would change, and change nothing."""
        document = await self._taken(id_, "diff")
        if document is None:
            return
        ruleset = await self._made(document, "diff")
        if ruleset is None:
            return
        active = await self.active()
        told, studies = await self._compared(id_)
        kept = await self._kept(await self.ruleset(active["ruleset"]), ruleset)
        found = {**told, "studies": studies, "against": active["ruleset"], "corrections": kept, "at": await self.store.now()}
        await self._pay(document, "diff", {"diff": found})

    async def apply(self, id_: str) -> None:
        """Make a version the active one, then owe `classify` on the studies whose labels differ; refused where it breaks a correction."""
        document = await self._taken(id_, "apply")
        if document is None:
            return
        await crash.point("apply.1")
        ruleset, active = await self._made(document, "apply"), await self.active()
        if ruleset is None:
            return
        if active["ruleset"] != id_:
            kept = await self._kept(await self.ruleset(active["ruleset"]), ruleset)
            if any(one["breaks"] for one in kept):
                await self._pay(document, "apply", {"refused": kept})
                return
            await crash.point("apply.2")
            same = sorted({*active["same"], active["digest"]} - {ruleset.digest})
            change = {"ruleset": id_, "digest": ruleset.digest, "same": same, "packaged": document.get("packaged", False)}
            holds = {"_id": ACTIVE, "ruleset": active["ruleset"]}
            if not (await self.store["rulesets"].update_one(holds, {"$set": change})).matched_count:
                return  # other rules were made active meanwhile: when the lease ends, corrections are looked at again beside those
        await crash.point("apply.3")
        told, studies = await self._compared(id_, owe=True)
        await crash.point("apply.5")
        await self._pay(document, "apply", {"applied": {**told, "studies": studies, "at": await self.store.now()}, "refused": None})

    async def _taken(self, id_: str, stage: str) -> Document | None:
        condition, change = debts.lease(stage, self.service.lease_s)
        return await self.store["rulesets"].find_one_and_update({"_id": id_, **condition}, change, return_document=AFTER)

    async def _pay(self, document: Document, stage: str, result: Document) -> None:
        paid = debts.paid(stage)
        paid["$set"] |= result
        holds = {"_id": document["_id"], **debts.unmoved(stage, debts.n_of(document, stage))}
        await self.store["rulesets"].update_one(holds, paid)

    async def _made(self, document: Document, stage: str) -> Ruleset | None:
        """The ruleset of a version. None where it is wrong: that is written down, and the stage is paid with it."""
        if "content" in document:
            return await self.ruleset(document["_id"])
        try:
            found, content = await asyncio.to_thread(_checked, self.own, document)
        except RulesetError as wrong:
            await self._pay(document, stage, {"error": f"{wrong.path.name}:{wrong.line}: {wrong.reason}"})
            return None
        ruleset = await asyncio.to_thread(ruleset_from, content)
        change = {**described(ruleset), "says": found.says, "content": content}
        await self.store["rulesets"].update_one({"_id": document["_id"]}, {"$set": change})
        self._known[document["_id"]] = content
        return ruleset

    # ── comparing ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _compared(self, id_: str, owe: bool = False) -> tuple[Document, int]:
        """Every stored label beside what a version says; how many studies differ, and owe them `classify` if they shall."""
        tally, count = Tally(), 0
        async with aclosing(self._parts(self._known[id_])) as parts:
            async for part, differing in parts:
                tally.take(part)
                count += len(differing)
                if owe and differing:
                    await self._owe(differing)
        return tally.document(), count

    async def _parts(self, content: str) -> AsyncGenerator[Compared, None]:
        """The same of some studies after the other, in order; the next are read and compared meanwhile."""
        running: deque[asyncio.Task[Compared]] = deque()
        try:
            async for stacks in self._studies():
                corrections = await self.pins({stack["_id"].rpartition("/")[0] for stack in stacks})
                running.append(asyncio.create_task(self.workers.run(LIMIT_S, compare, content, stacks, corrections)))
                if len(running) > self.workers.count:
                    yield await running.popleft()
            while running:
                yield await running.popleft()
        finally:
            for task in running:
                task.cancel()

    async def _studies(self) -> AsyncIterator[list[Document]]:
        """Living labelled stacks, whole studies together."""
        found = self.store["stacks"].find({"retired": False}, SHOWN).sort([("study", 1), ("_id", 1)]).batch_size(CHUNK)
        held: list[Document] = []
        while batch := await found.to_list(CHUNK):
            held += batch
            last = held[-1]["study"]
            cut = next((place for place in range(len(held) - 1, -1, -1) if held[place]["study"] != last), -1) + 1
            if cut:
                yield held[:cut]
                held = held[cut:]
        if held:
            yield held

    async def _owe(self, studies: Sequence[str]) -> None:
        await crash.point("apply.4")
        await self.store.write("studies", [UpdateOne({"_id": study}, debts.owe("classify")) for study in studies])
        fields = {"cohort": 1, "owed.classify": 1}
        async for owed in self.store["studies"].find({"_id": {"$in": list(studies)}}, fields):
            await self.bus.ring(*bell(STAGES["classify"], owed))

    async def _kept(self, old: Ruleset, new: Ruleset) -> list[Document]:
        """What becomes of the corrections: those that new rules would say otherwise, and whether they break what the old ones say."""
        said = await self.store["corrections"].find({}).sort("_id").to_list(None)
        of_series = {"series": {"$in": sorted({one["series"] for one in said})}}
        held = pins(said, await self.store["stacks"].find(of_series, {"series": 1, "retired": 1}).to_list(None))
        stacks = sorted({one["stack"] for one in held})
        studies = await self.store["stacks"].distinct("study", {"_id": {"$in": stacks}, "retired": False})
        found: list[Document] = []
        for study in studies:
            rows = await self.store["stacks"].find({"study": study, "retired": False}, {"fingerprint": 1}).to_list(None)
            fingerprints = {row["_id"]: row["fingerprint"] for row in rows}
            before = await asyncio.to_thread(classify_study, fingerprints, old)
            after = await asyncio.to_thread(classify_study, fingerprints, new)
            found += broken([one for one in held if one["stack"] in fingerprints], before, after)
        return found


def _checked(own: Written, document: Document) -> tuple[Checked, str]:
    """A new version, its overlay on top of our rules, and all of it to be written down. Raises RulesetError at the first fault."""
    found = checked(own, page_of(Path(document["name"]), document["overlay"]))
    if found.broken:
        first, *more = found.broken
        others = f"; and {len(more)} more: `gyrus rules check` tells all" if more else ""
        raise RulesetError(first.path, first.line, first.reason + others)
    return found, content_of(found.written)


def described(ruleset: Ruleset) -> Document:
    """What a version's document says of its content: digest, the values that each axis may have, the fit."""
    values = {axis: {"values": list(ruleset.values(axis)), "many": AXES[axis].many} for axis in AXES}
    fitted = {name: ruleset.calibration.about.get(name) for name in ("fitted_at", "rules", "data")}
    return {"digest": ruleset.digest, "axes": values, "fit": json.loads(json.dumps(fitted))}
