"""Paying `delete`: what lies in a scope goes, in steps that may each be done twice (design §3).

A deleted file is a file that says nothing any more: its document becomes a tombstone, and settling, which has all the guards, takes it out
of series, stacks, study and subject. What is empty afterwards is removed, each document only if it is empty still – so that a file that
comes meanwhile loses nothing. The files themselves are never touched.
"""

from typing import Any

from gyrus.extractor.settling import Settling
from gyrus.shared import crash, debts
from gyrus.shared.bells import bell
from gyrus.shared.errors import Later
from gyrus.shared.scope import DELETED, Scope, files_of, series_of, tombstone
from gyrus.shared.service import Service
from gyrus.shared.store import AFTER, UpdateOne
from gyrus.shared.topology import STAGES

Document = dict[str, Any]
STAGE = STAGES["delete"]
CHUNK = 1000  # documents that are changed in one round trip
LOOK_S = 10  # at most so long until it looks again whether what it waits for is done
NEVER: Document = {"$exists": False}


class Deleting:
    """Does the deletions that are due."""

    def __init__(self, service: Service, settling: Settling) -> None:
        self.service, self.store, self.bus, self.settling = service, service.store, service.bus, settling

    async def delete_due(self) -> None:
        """Go on with every deletion whose time has come, the oldest first."""
        due = {**debts.is_owed("delete"), "$expr": {"$lte": ["$owed.delete.due", "$$NOW"]}}
        for found in await self.store["deletions"].find(due, {"_id": 1}).sort("_id").to_list(None):
            await self.service.try_once(STAGE, self.delete, found["_id"])

    async def delete(self, deletion_id: str) -> None:
        """Lease; take up what is there; settle; erase outputs; remove what is empty; pay. Raises Later where it waits for another room."""
        await crash.point("delete.1")
        condition, change = debts.lease("delete", self.service.lease_s)
        taken = [*change, {"$set": {"owed.delete.due": "$$NOW"}}]
        deletion = await self.store["deletions"].find_one_and_update({"_id": deletion_id, **condition}, taken, return_document=AFTER)
        if deletion is None:
            return  # done, or another extractor is at it
        scope = Scope(**deletion["scope"])
        try:
            if "swept" not in deletion:
                deletion = await self._take_up(deletion, scope)
            await self._settle(deletion_id)
            await self._clear_stacks(scope, deletion["series"])
            await self._remove(scope, deletion)
        except Later as later:
            await self._look_again(deletion_id, str(later))
            raise
        await self._pay(deletion)

    async def _look_again(self, deletion: str, waiting: str) -> None:
        """After a tenth of the time that it took so far, it looks again."""
        tenth = {"$divide": [{"$subtract": ["$$NOW", "$owed.delete.since"]}, 10]}
        due = {"$add": ["$$NOW", {"$min": [LOOK_S * 1000, tenth]}]}
        change: list[Document] = [
            {"$set": {"owed.delete.due": due, "owed.delete.waiting": {"$literal": waiting}}},
            {"$unset": "owed.delete.lease"},
        ]
        await self.store["deletions"].update_one({"_id": deletion, **debts.is_owed("delete")}, change)

    async def _pay(self, deletion: Document) -> None:
        await crash.point("delete.9")
        change = debts.paid("delete")
        change["$unset"] |= dict.fromkeys(("batches", "within", "studies", "subjects"), "")
        change["$currentDate"] = {"finished_at": True}
        holds = {"_id": deletion["_id"], **debts.unmoved("delete", debts.n_of(deletion, "delete"))}
        await self.store["deletions"].update_one(holds, change)

    # ── what is there becomes tombstones ─────────────────────────────────────────────────────────────────────────────

    async def _take_up(self, deletion: Document, scope: Scope) -> Document:
        """Wait for batches that were open; then every file of the scope becomes a tombstone. What comes afterwards is new."""
        await self._wait_for_batches(deletion)
        noted = await self._resolved(deletion, scope)
        series = noted["within"]
        await self._mark(scope.stacks(series))
        fields = {"rev": 1, "series": 1, "study": 1, "subject": 1}
        async for query in files_of(self.store, scope, series):
            while files := await self.store["files"].find(query, fields).limit(CHUNK).to_list(None):
                if strays := {file["series"] for file in files if "series" in file and not scope.whole} - set(series):
                    await self._mark({"series": {"$in": sorted(strays)}})
                noted = await self._bury(deletion["_id"], scope, files)
        await crash.point("delete.5")
        await self.store["deletions"].update_one({"_id": deletion["_id"]}, {"$set": {"swept": True}})
        return noted

    async def _bury(self, deletion: str, scope: Scope, files: list[Document]) -> Document:
        """Files become tombstones; one that moved meanwhile is looked at again."""
        noted = await self._note(deletion, scope, files)
        await crash.point("delete.4")
        buried = tombstone(deletion)
        await self.store.write("files", [UpdateOne({"_id": file["_id"], "rev": file["rev"]}, buried) for file in files])
        return noted

    async def _resolved(self, deletion: Document, scope: Scope) -> Document:
        """The series of the scope as they are shown now; later they may be shown elsewhere, by the files that are still left of them."""
        if "within" in deletion:
            return deletion
        there = [] if scope.whole else await series_of(self.store, scope)
        await self._note(deletion["_id"], scope, [{scope.level: scope.id}, *({**one, "series": one["_id"]} for one in there)])
        within = {"$set": {"within": [one["_id"] for one in there]}}
        return dict(await self.store["deletions"].find_one_and_update({"_id": deletion["_id"]}, within, return_document=AFTER) or {})

    async def _wait_for_batches(self, deletion: Document) -> None:
        await crash.point("delete.2")
        if "batches" not in deletion:
            opened = await self.store["batches"].distinct("_id", {"cohort": deletion["cohort"], **debts.is_owed("read")})
            await self.store["deletions"].update_one({"_id": deletion["_id"]}, {"$set": {"batches": opened}})
            deletion["batches"] = opened
        unread = {"_id": {"$in": deletion["batches"]}, **debts.is_owed("read")}
        if count := await self.store["batches"].count_documents(unread):
            away = await self.store["batches"].distinct("owed.read.waiting", unread)
            raise Later(f"{count} batches that were announced before are to be read" + "".join(f" ({why})" for why in away))

    async def _mark(self, stacks: Document) -> None:
        """Outputs of a stack that is retired from now on are erased at once; the mark is taken off what lives on."""
        await self.store["stacks"].update_many({**stacks, "deleting": NEVER}, {"$set": {"deleting": True}})

    async def _note(self, deletion: str, scope: Scope, named: list[Document]) -> Document:
        """What may be empty afterwards is written down before the files that name it say nothing any more; a cohort names itself."""
        await crash.point("delete.3")
        lists = (("series", "series"), ("study", "studies"), ("subject", "subjects"))
        found = {into: sorted({one[name] for one in named if one.get(name)}) if not scope.whole else [] for name, into in lists}
        change = {into: {"$each": ids} for into, ids in found.items()}
        lease_s = round(self.service.lease_s * 1000)
        await self.store["deletions"].update_one({"_id": deletion}, [{"$set": {"owed.delete.lease": {"$add": ["$$NOW", lease_s]}}}])
        noted = await self.store["deletions"].find_one_and_update({"_id": deletion}, {"$addToSet": change}, return_document=AFTER)
        assert noted is not None, "deletions are never deleted"
        return dict(noted)

    # ── settling, outputs ────────────────────────────────────────────────────────────────────────────────────────────

    async def _settle(self, deletion: str) -> None:
        """Every series that lost a file settles, at once."""
        await crash.point("delete.6")
        waiting = await self.settling.owe_unsettled({DELETED: deletion})
        if not waiting:
            return
        owed = {"_id": {"$in": waiting}, **debts.is_owed("settle")}
        await self.store["series"].update_many(owed, [{"$set": {"owed.settle.due": {"$min": ["$owed.settle.due", "$$NOW"]}}}])
        failed = await self.store["series"].count_documents({"_id": {"$in": waiting}, "failure": {"$exists": True}})
        raise Later(f"{len(waiting)} series are to be settled" + _failed(failed))

    async def _clear_stacks(self, scope: Scope, series: list[str]) -> None:
        """Stacks without files were retired: the preprocessor erases their outputs, then they go, with their corrections."""
        retired = {**scope.stacks(series), "retired": True}
        await crash.point("delete.7")
        unpaid = {**retired, **debts.is_owed("preprocess")}
        async for stack in self.store["stacks"].find(unpaid, {"cohort": 1, "owed": 1}).limit(CHUNK):
            await self.bus.ring(*bell(STAGES["preprocess"], stack))  # each time: a bell that is known already vanishes
        await self._remove_stacks({**retired, "owed.preprocess.since": NEVER, "failure": NEVER})
        if count := await self.store["stacks"].count_documents(retired):
            failed = await self.store["stacks"].count_documents({**retired, "failure": {"$exists": True}})
            raise Later(f"the outputs of {count} stacks are to be erased" + _failed(failed))
        await self.store["stacks"].update_many({**scope.stacks(series), "deleting": True}, {"$unset": {"deleting": ""}})

    async def _remove_stacks(self, cleared: Document) -> None:
        while stacks := [stack["_id"] for stack in await self.store["stacks"].find(cleared, {"_id": 1}).limit(CHUNK).to_list(None)]:
            await self.store["corrections"].delete_many({"stack": {"$in": stacks}})
            await self.store["stacks"].delete_many({**cleared, "_id": {"$in": stacks}})

    # ── what is empty goes ───────────────────────────────────────────────────────────────────────────────────────────

    async def _remove(self, scope: Scope, deletion: Document) -> None:
        for series in [None] if scope.whole else deletion["series"]:
            await self._remove_headers(scope, series)
        await crash.point("delete.8")
        for collection, empty in (
            ("series", {"n_files": 0, "owed.settle.since": NEVER}),
            ("studies", {"n_series": 0}),
            ("subjects", {"n_studies": 0}),
        ):
            among = {"cohort": scope.id} if scope.whole else {"_id": {"$in": deletion[collection]}}
            await self.store[collection].delete_many({**among, **empty})
        if scope.whole:  # batches that failed hold paths, and would be read when somebody retries
            await self.store["batches"].delete_many({"cohort": scope.id, "failure.stage": "read"})

    async def _remove_headers(self, scope: Scope, series: str | None) -> None:
        """Header blocks that no file names any more: of one series, or of the whole cohort."""
        below = series or scope.id
        query = {"_id": {"$gte": f"{below}/", "$lt": f"{below}0"}, **({"series": series} if series else {})}  # "0" follows "/"
        blocks = self.store["headers"].find(query, {"series": 1}).sort("_id")
        while chunk := await blocks.to_list(CHUNK):
            named = await self.store["files"].distinct("header", {"series": {"$in": sorted({block["series"] for block in chunk})}})
            gone = {block["_id"] for block in chunk} - set(named)
            await self.store["headers"].delete_many({"_id": {"$in": sorted(gone)}})


def _failed(count: int) -> str:
    return f"; {count} of them failed: see `gyrus failures`" if count else ""
