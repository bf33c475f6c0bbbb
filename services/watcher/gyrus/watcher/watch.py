"""Watching sources for good: looks that never end, each a scan that announces what it saw twice.

A source with a cohort is watched. It has one standing job (`watch:<source>:<cohort>`), which owes nothing and is never done. Of two
watchers one looks and the other waits for its lease; a lease only saves work. A look lists folders that changed; all of them, and
documents whose files are gone, now and then.
"""

import asyncio
import logging
import os
import time
from dataclasses import dataclass, field
from typing import Any

from gyrus.shared import crash
from gyrus.shared.errors import Away
from gyrus.shared.ids import ulid
from gyrus.shared.paths import from_text
from gyrus.shared.service import Service, is_away
from gyrus.shared.settings import Source
from gyrus.shared.store import AFTER
from gyrus.watcher.announcing import Announcing, Found, lost
from gyrus.watcher.scan import chunks, walked_whole
from gyrus.watcher.settings import WatcherSettings
from gyrus.watcher.still import Still, is_in_transfer
from gyrus.watcher.walk import Folder, Patterns, Seen, Walk

Document = dict[str, Any]
STEPS = ("watch.3", "watch.4", "watch.5")
RESTLESS_S = 60.0  # a folder in which something changed so lately is listed at every look
REST_FACTOR = 2  # a look that walks long is followed by a rest that is longer by this, …
LONGEST_REST_S = 30.0  # … but not for ever: it may have been long since readers were waited for
_log = logging.getLogger("gyrus.watch")


class NotMine(Exception):
    """Another watcher looks at this source."""


@dataclass
class Watched:
    """What a watcher remembers of a source between two looks: folders in which nothing stirs, and when it looked at everything."""

    name: str
    cohort: str
    quiet: dict[str, Folder] = field(default_factory=dict)
    whole_at_s: float = float("-inf")
    walked_s: float = 0.0

    @property
    def job(self) -> str:
        return f"watch:{self.name}:{self.cohort}"


@dataclass
class Look:
    """One look under way."""

    watched: Watched
    job: Document
    announcing: Announcing
    still: Still
    whole: bool
    now_ns: int
    stirring: set[str] = field(default_factory=set)  # folders
    in_transfer: int = 0
    seen: int = 0


class Watch:
    """Looks at the watched sources, each at its own pace."""

    def __init__(self, service: Service, settings: WatcherSettings) -> None:
        self.service, self.store, self.sources, self.settings = service, service.store, service.sources, settings
        self._me = ulid()

    async def watch(self) -> None:
        """For good: a task for each watched source; sources may come and go."""
        async with asyncio.TaskGroup() as group:
            tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
            while True:
                for name, source in self.sources.all().items():
                    key = (name, source.cohort or "")
                    if source.cohort and (key not in tasks or tasks[key].done()):
                        tasks[key] = group.create_task(self._keep_looking(Watched(name, source.cohort)))
                await asyncio.sleep(self.settings.watch_every_s)

    async def _keep_looking(self, watched: Watched) -> None:
        while (source := self.sources.all().get(watched.name)) and source.cohort == watched.cohort:
            try:
                await self.look(watched, source)
            except Exception as error:  # noqa: BLE001 - watching goes on; a fault of it is logged with its trace
                fault = not is_away(error)
                _log.log(logging.ERROR if fault else logging.WARNING, "look_interrupted", exc_info=error if fault else None)
            rest_s = min(REST_FACTOR * watched.walked_s, LONGEST_REST_S)
            await asyncio.sleep(max(self.settings.watch_every_s, rest_s))

    # ── one look ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def look(self, watched: Watched, source: Source) -> None:
        """Announce what was seen twice as it is, and is not known so."""
        await crash.point("watch.1")
        job = await self._take(watched, source)
        if job is None:
            watched.quiet, watched.whole_at_s = {}, float("-inf")  # what another watcher saw is not ours to remember
            return
        try:
            root = self.sources.root(watched.name)
            await crash.point("watch.2")
            await self._look(watched, source, job, root)
        except NotMine:
            return
        except Away as away:
            if (job.get("watch") or {}).get("waiting") != str(away):
                _log.warning("waited", extra={"for": str(away)})
            await self.store["jobs"].update_one({"_id": watched.job}, {"$set": {"watch.waiting": str(away)}})

    async def _take(self, watched: Watched, source: Source) -> Document | None:
        """The standing job, if no other watcher has it; made where it is not there."""
        settings = self.settings
        options = {"include": list(source.include), "exclude": list(source.left_out), "batch_files": settings.batch_files}
        identity = {"_id": watched.job, "cohort": watched.cohort, "source": watched.name, "path": "", "watch": {}}
        now = {"options": options, **settings.quiet_and_cap(source)}
        free = {"$or": [{"watch.by": self._me}, {"$expr": {"$lt": [{"$ifNull": ["$watch.until", "$$NOW"]}, {"$add": ["$$NOW", 1]}]}}]}
        change = [{"$set": {**{name: {"$literal": value} for name, value in now.items()}, **self._lease()}}]
        for _ in range(2):
            job = await self.store["jobs"].find_one_and_update({"_id": watched.job, **free}, change, return_document=AFTER)
            if job or not await self.store.insert("jobs", {**identity, **now}):
                return job
        return None

    def _lease(self) -> Document:
        return {"watch.by": self._me, "watch.until": {"$add": ["$$NOW", round(self.service.lease_s * 1000)]}}

    async def _look(self, watched: Watched, source: Source, job: Document, root: str) -> None:
        async def between(waits_for: str | None) -> None:
            mine = {**self._lease(), "watch.waiting": waits_for or "$$REMOVE"}
            done = await self.store["jobs"].update_one({"_id": watched.job, "watch.by": self._me}, [{"$set": mine}])
            if not done.matched_count:
                raise NotMine

        settings = self.settings
        announcing = Announcing(self.service, job, STEPS, settings.batches_ahead, between)
        whole = time.monotonic() - watched.whole_at_s >= settings.watch_whole_s
        look = Look(watched, job, announcing, Still(settings.stable_s), whole, time.time_ns())
        patterns = Patterns(source.include, source.left_out)
        walk = Walk(root, "", patterns, {} if look.whole else watched.quiet)
        started = time.monotonic()
        async for chunk in chunks(walk):
            await self._first_look(look, chunk)
            await self._second_look(look, walk.root)
            await between(None)
        await walked_whole(self.sources, watched.name, walk)
        if look.whole:
            await self._look_for_lost(look, walk.root)
        watched.walked_s = time.monotonic() - started
        while look.still.due_in_s(time.monotonic()) is not None:
            await self._second_look(look, walk.root, wait=True)
            await between(None)
        await announcing.flush()
        await crash.point("watch.6")
        self._remember(look, walk)
        await self._tell(look, walk)

    async def _first_look(self, look: Look, chunk: list[Seen]) -> None:
        look.seen += len(chunk)
        compared = await look.announcing.compare(chunk)
        fresh = []
        for file in compared.announce:
            if is_in_transfer(file["path"], file["mtime_ns"], look.now_ns, self.settings.temporary_s):
                look.in_transfer += 1
            else:
                fresh.append(file)
        lately = (seen.path for seen in chunk if look.now_ns - seen.mtime_ns < RESTLESS_S * 1e9)
        look.stirring |= {_folder(path) for path in lately} | {_folder(file["path"]) for file in compared.announce}
        look.still.add(fresh, time.monotonic())

    async def _second_look(self, look: Look, root: str, wait: bool = False) -> None:
        """Announce what is as it was at the first look; what is not is for a later one. Waits if asked, or if too much waits."""
        while True:
            if (wait or look.still.is_full) and (due_in_s := look.still.due_in_s(time.monotonic())):
                await asyncio.sleep(due_in_s)
            ripe = look.still.ripe(time.monotonic())
            await look.announcing.add(await asyncio.to_thread(_unchanged, root, ripe))
            if not look.still.is_full:
                return

    async def _look_for_lost(self, look: Look, root: str) -> None:
        async for gone in lost(self.store, look.job, root):
            self.sources.root(look.watched.name)  # a lost mount is not a thousand lost files
            if gone:
                await look.announcing.add((await look.announcing.compare(gone)).announce)

    def _remember(self, look: Look, walk: Walk) -> None:
        """Folders in which nothing stirs need not be listed at the next look."""
        stirring = {f"{walk.root}/{folder}" if folder else walk.root for folder in map(from_text, look.stirring)}
        settled_ns = look.now_ns - RESTLESS_S * 1e9
        look.watched.quiet = {path: folder for path, folder in walk.listed.items() if path not in stirring and folder.mtime_ns < settled_ns}
        if look.whole:
            look.watched.whole_at_s = time.monotonic()

    async def _tell(self, look: Look, walk: Walk) -> None:
        told: Document = {"watch.looked_at": "$$NOW", "watch.waiting": "$$REMOVE"}
        told["progress.announced"] = {"$add": [{"$ifNull": ["$progress.announced", 0]}, look.announcing.announced]}
        if look.whole:
            told["progress.seen"] = look.seen
            told["skipped"] = {"$literal": dict(walk.skipped) | ({"in transfer": look.in_transfer} if look.in_transfer else {})}
        await self.store["jobs"].update_one({"_id": look.watched.job, "watch.by": self._me}, [{"$set": told}])


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _unchanged(root: str, files: list[Found]) -> list[Found]:
    """Those that still have the size and time that they had."""
    return [file for file in files if _stamp(f"{root}/{from_text(file['path'])}") == (file["size"], file["mtime_ns"])]


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        stat = os.lstat(path)
    except OSError:
        return None  # it went, or cannot be looked at: for a later look
    return stat.st_size, stat.st_mtime_ns
