"""What people make happen: jobs, retries, settling now, reconciling. Everything is a debt that a room pays."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

from gyrus.gateway.models import JobRequest
from gyrus.gateway.settings import GatewaySettings
from gyrus.gateway.subjects import give_rule
from gyrus.shared import debts
from gyrus.shared.bells import bell
from gyrus.shared.bus import Bus
from gyrus.shared.errors import Misuse
from gyrus.shared.events import Event
from gyrus.shared.ids import ulid
from gyrus.shared.paths import from_text
from gyrus.shared.sources import UPLOADS, Sources, folder_name
from gyrus.shared.store import AFTER, Store, owed_keys
from gyrus.shared.topology import STAGES

Document = dict[str, Any]
RING_S = 2


class Steering:
    """The gateway's hand on the flow."""

    def __init__(self, store: Store, bus: Bus, sources: Sources, settings: GatewaySettings) -> None:
        self.store, self.bus, self.sources, self.settings = store, bus, sources, settings

    async def start_jobs(self, request: JobRequest) -> list[Document]:
        """Start a scan; several where only a cohort is named: one for each place that it was fed from. Raises Misuse."""
        if request.folder is not None:
            places = [self._place(request.folder)]
        elif request.source is not None:
            if request.source not in self.sources.all():
                raise Misuse(f"there is no source '{request.source}'. Sources: {', '.join(sorted(self.sources.all())) or 'none'}.")
            if ".." in from_text(request.path).split("/") or "\0" in from_text(request.path):
                raise Misuse("The path leads out of its source, or is none: name one without '..'.")
            places = [(request.source, request.path.strip("/"))]
        else:
            places = await self._places_of(request.cohort)
        return [await self._start(request, *place) for place in places]

    def _place(self, folder: str) -> tuple[str, str]:
        path = Path(folder)
        if not path.is_absolute():
            raise Misuse(f"'{folder}' is not absolute: name a folder as the servers see it.")
        try:
            with contextlib.suppress(Misuse):
                return self.sources.place(path)
            return self.sources.place(path.resolve())  # a link to a source
        except Misuse:
            if not path.is_dir() or not self.sources.may_grow:
                raise
        self.sources.add(path, folder_name(path))
        return self.sources.place(path)

    async def _places_of(self, cohort: str) -> list[tuple[str, str]]:
        document = await self.store["cohorts"].find_one({"_id": cohort}) or {}
        watched = {(name, "") for name, source in self.sources.all().items() if source.cohort == cohort}
        places = sorted({(place["source"], place["path"]) for place in document.get("fed_from", [])} | watched)
        if not places:
            raise Misuse(f"cohort '{cohort}' was not fed from anywhere yet: name a folder.")
        return [place for place in places if not any(other != place and _within(place, other) for other in places)]

    async def _start(self, request: JobRequest, source: str, path: str) -> Document:
        place = self.sources.all()[source]
        options = request.model_dump(include={"again", "batch_files", "workers", "dry_run"})
        options |= {"include": request.include or list(place.include), "exclude": [*place.left_out, *request.exclude]}
        about = await give_rule(self.store, request, (source, path))
        job = {
            "_id": ulid(),
            "cohort": request.cohort,
            "source": source,
            "path": path,
            "options": options,
            **self.settings.quiet_and_cap(place, request.quiet_s),
            "open": True,
            **about,
        }
        if not request.dry_run:
            fed_from = {"$addToSet": {"fed_from": {"source": source, "path": _lasting(request.cohort, source, path)}}}
            await self.store["cohorts"].update_one(
                {"_id": request.cohort}, {"$setOnInsert": {"cohort": request.cohort}, **fed_from}, upsert=True
            )
        await self.store.insert("jobs", job, "scan")
        await self._ring(*bell(STAGES["scan"], {**job, "owed": {"scan": {"n": 1}}}))
        return await self.store["jobs"].find_one({"_id": job["_id"]}) or job

    async def stop(self, job: Document, wanted: str) -> None:
        """Pause or end a scan: what was announced is still read. Raises Misuse where the scan is over."""
        if "watch" in job:
            raise Misuse(
                f"Source '{job['source']}' is watched as long as its settings name cohort '{job['cohort']}': take that away to end it."
            )
        running = {"_id": job["_id"], **debts.is_owed("scan")}
        paused = {"_id": job["_id"], "stopped": "pause"}
        jobs = self.store["jobs"]
        if (await jobs.update_one(running, {"$set": {"wanted": wanted}})).matched_count:
            return
        if wanted == "cancel" and (await jobs.update_one(paused, {"$set": {"stopped": wanted}})).matched_count:
            return
        raise Misuse(f"The scan of job {job['_id']} is over: everything is announced, and will be read.")

    async def resume(self, job: Document) -> None:
        """Scan on where a scan was paused: what it announced before is known. Raises Misuse where it is not paused."""
        where = {"_id": job["_id"], "$or": [{"stopped": "pause"}, {"wanted": "pause"}]}
        change = [*debts.owe("scan"), {"$unset": ["wanted", "stopped"]}]
        owed = await self.store["jobs"].find_one_and_update(where, change, return_document=AFTER)
        if owed is None:
            raise Misuse(f"Job {job['_id']} is not paused.")
        await self._ring(*bell(STAGES["scan"], owed))

    async def _ring(self, event: Event, message_id: str | None = None) -> None:
        """Ring, but do not let a person wait for NATS: the debt is written, and a sweep will ring."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.bus.ring(event, message_id), timeout=RING_S)

    async def retry(self, stage_name: str | None, document: str | None) -> int:
        """Owe again what failed, and ring. How many."""
        count = 0
        for stage in STAGES.values():
            if stage_name not in (None, stage.name):
                continue
            query: Document = {"failure.stage": stage.name, **({"_id": document} if document else {})}
            async for failed in self.store[stage.collection].find(query, {"_id": 1}):
                change = debts.owe(stage.name, cap_s=0.001 if stage.event is None else 0)
                owed = await self.store[stage.collection].find_one_and_update({"_id": failed["_id"]}, change, return_document=AFTER)
                if owed and stage.event:
                    await self._ring(*bell(stage, owed))
                count += 1
        await self.store["jobs"].update_many({"lacking": True}, {"$set": {"open": True}})  # their totals are taken again
        return count

    async def ring_for(self, stage_name: str, documents: list[str]) -> None:
        """Ring for documents that owe a stage."""
        stage = STAGES[stage_name]
        query = {"_id": {"$in": documents}, **debts.is_owed(stage_name)}
        async for owed in self.store[stage.collection].find(query, {"cohort": 1, f"owed.{stage_name}": 1}):
            await self._ring(*bell(stage, owed))

    async def settle_now(self, cohort: str) -> int:
        """Series that wait for quiet are due at once."""
        query = {"cohort": cohort, **debts.is_owed("settle")}
        change = [{"$set": {"owed.settle.due": "$$NOW"}}]
        return int((await self.store["series"].update_many(query, change, hint=owed_keys("settle"))).modified_count)

    async def reconcile(self) -> int:
        """After a restored backup: every series settles again, every volume is looked for, every place is scanned."""
        await self.store["series"].update_many({}, debts.owe("settle", cap_s=0.001))
        made = {"volume.refused": None, "volume": {"$type": "object"}}
        await self.store["stacks"].update_many(made, debts.owe("preprocess"))
        count = 0
        cohorts = {cohort["_id"] async for cohort in self.store["cohorts"].find({"fed_from": {"$exists": True}}, {"_id": 1})}
        cohorts |= {source.cohort for source in self.sources.all().values() if source.cohort}
        for cohort in sorted(cohorts):
            count += len(await self.start_jobs(JobRequest(cohort=cohort)))
        for stage in filter(lambda stage: stage.event, STAGES.values()):
            async for owed in self.store[stage.collection].find(debts.is_owed(stage.name), {"cohort": 1, f"owed.{stage.name}": 1}):
                await self._ring(bell(stage, owed)[0])
        return count


def _lasting(cohort: str, source: str, path: str) -> str:
    """The place to remember for a job: all uploads of a cohort are one, so that looking again is one scan."""
    return cohort if source == UPLOADS and path.startswith(f"{cohort}/") else path


def _within(place: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether a place lies in another one of the same source."""
    return place[0] == other[0] and (other[1] == "" or place[1].startswith(other[1] + "/"))
