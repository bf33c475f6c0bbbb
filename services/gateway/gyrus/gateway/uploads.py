"""Uploads: one file or a zip, streamed to disk, then ingested as a folder of the source `uploads`.

.part/<cohort>.<upload>/   while it comes: `body`, then `files/`. It ends with its upload; where the gateway died, by a sweep
<cohort>/<upload>/         when it is whole: what a job scans
"""

import asyncio
import concurrent.futures
import contextlib
import logging
import os
import re
import shutil
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import unquote_to_bytes

from fastapi import APIRouter, HTTPException, Query, Request
from starlette.requests import ClientDisconnect

from gyrus.dicom.sniff import looks_like
from gyrus.gateway import status
from gyrus.gateway.models import JobRequest, Problem, UploadRequest
from gyrus.gateway.settings import GatewaySettings
from gyrus.gateway.steering import Steering
from gyrus.gateway.unzip import NOT_KEPT, Kept, NotKept, NoZip, TooMuch, Zip, is_zip, path_of
from gyrus.shared.errors import Away, Misuse
from gyrus.shared.ids import ulid
from gyrus.shared.service import Service
from gyrus.shared.sources import UPLOADS

Document = dict[str, Any]
Result = TypeVar("Result")
BLOCK_BYTES = 1 << 20  # written at once
HEAD_BYTES = 1024
MOST_TOLD = 1000  # refused members that an answer names
PART = ".part"
_PART_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}\.[0-9A-Z]{26}")
PROBLEMS: dict[int | str, dict[str, Any]] = {
    408: {"model": Problem, "description": "Nothing came for too long."},
    413: {"model": Problem, "description": "More than is taken: bytes, members, or what a zip inflates to."},
    422: {"model": Problem, "description": "A zip that cannot be read, or of which nothing can be kept."},
}
_log = logging.getLogger("gyrus.gateway")


class Stopped(Exception):
    """Nobody waits for this upload any more."""


class Upload:
    """One upload under way: its places, and its work in hand."""

    def __init__(self, root: Path, cohort: str) -> None:
        self.id, self.cohort = ulid(), cohort
        self.part = root / PART / f"{cohort}.{self.id}"
        self.body, self.files = self.part / "body", self.part / "files"
        self.whole = root / cohort / self.id
        self.stop = threading.Event()
        self.work: concurrent.futures.Future[Any] | None = None

    def beat(self) -> None:
        """Whether to go on, asked between two pieces. Raises Stopped."""
        if self.stop.is_set():
            raise Stopped

    def end(self) -> None:
        """Stop the work in hand, wait for it, and remove what is not whole."""
        self.stop.set()
        if self.work:
            concurrent.futures.wait([self.work])
        shutil.rmtree(self.part, ignore_errors=True)


class Uploads:
    """Takes uploads, a bounded number at once, and removes what dead gateways left."""

    def __init__(self, service: Service, settings: GatewaySettings, steering: Steering) -> None:
        self.store, self.sources, self.settings, self.steering = service.store, service.sources, settings, steering
        self._under_way: set[Path] = set()
        self._threads = concurrent.futures.ThreadPoolExecutor(settings.uploads_at_once, "upload")
        service.every(settings.upload_grace_s / 10, "uploads", self.sweep)

    async def take(self, request: Request, asked: UploadRequest) -> Document:
        """Receive a body, ingest what is in it, and say what became of it. Raises HTTPException, Misuse, Away."""
        root, declared = self._root(), int(request.headers.get("content-length", 0))
        name, moment_s = _path_in(request), _moment_in(request)
        if declared > self.settings.upload_max_bytes:
            raise self._too_large()
        self._check_room(root, declared)
        with _told():
            async with self._under_way_in(root, asked.cohort) as upload:
                await self._receive(request, upload)
                kept = await self._in_thread(upload, partial(self._keep, upload, name, moment_s))
                job = await self._start(upload, kept, asked)
        _log.info("upload_taken", extra={"upload": upload.id, "files": kept.files, "bytes": kept.bytes, "refused": len(kept.refused)})
        [told] = await status.jobs(self.store, [job])
        return {"upload": upload.id, "job": told, "files": kept.files, "bytes": kept.bytes, **_refused(kept)}

    def _root(self) -> Path:
        if self.settings.uploads is None:
            raise Misuse(
                "This installation takes no uploads: set GYRUS_UPLOADS, for all services, to a folder that gateway, watcher, extractor and "
                "preprocessor see, and start them again. `gyrus up` does so by itself."
            )
        return Path(self.sources.root(UPLOADS))

    def _check_room(self, root: Path, wanted: int) -> None:
        free = shutil.disk_usage(root).free - self.settings.upload_spare_bytes
        if wanted >= free:
            raise Away(f"There is no room for this upload: it wants {_size(wanted)}, and {_size(max(0, free))} are left for uploads.")

    def _too_large(self) -> HTTPException:
        limit = _size(self.settings.upload_max_bytes)
        return HTTPException(
            413, f"An upload may have {limit} (GYRUS_UPLOAD_MAX_BYTES): make several of it, or let the servers see the folder."
        )

    @contextlib.asynccontextmanager
    async def _under_way_in(self, root: Path, cohort: str) -> AsyncIterator[Upload]:
        """An upload with a folder of its own, which is removed whatever happens."""
        if len(self._under_way) >= self.settings.uploads_at_once:
            detail = f"{self.settings.uploads_at_once} uploads are under way already (GYRUS_UPLOADS_AT_ONCE); try again."
            raise HTTPException(503, detail, headers={"Retry-After": "10"})
        upload = Upload(root, cohort)
        self._under_way.add(upload.part)
        try:
            upload.files.mkdir(mode=0o750, parents=True)
            yield upload
        finally:
            try:
                await asyncio.to_thread(upload.end)
            finally:
                self._under_way.discard(upload.part)

    async def _in_thread(self, upload: Upload, work: Callable[[], Result]) -> Result:
        upload.work = future = self._threads.submit(work)
        return await asyncio.wrap_future(future)

    async def _receive(self, request: Request, upload: Upload) -> None:
        """Write the body as it comes; in memory is a block of it."""
        size = 0
        with upload.body.open("xb") as file:
            async for block in _blocks(request.stream(), self.settings.upload_idle_s):
                size += len(block)
                if size > self.settings.upload_max_bytes:
                    raise self._too_large()
                self._check_room(upload.part, len(block))
                upload.beat()
                await self._in_thread(upload, partial(file.write, block))

    def _keep(self, upload: Upload, name: str, moment_s: float | None) -> Kept:
        """Make files of the body: its members if it is a zip, else itself."""
        with upload.body.open("rb") as file:
            head = file.read(HEAD_BYTES)
        if looks_like(head) == "dicom" or not is_zip(head):
            path = upload.files / name
            path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            if moment_s is not None:
                os.utime(upload.body, (moment_s, moment_s))
            return Kept(1, upload.body.rename(path).stat().st_size)
        with Zip(upload.body, self.settings.upload_max_members) as members:
            if members.size > self.settings.upload_max_bytes:
                raise self._too_large()
            self._check_room(upload.part, members.size)
            return members.write(upload.files, upload.beat)

    async def _start(self, upload: Upload, kept: Kept, asked: UploadRequest) -> Document:
        """Put the files into their place, and start their job; not one without the other. Raises HTTPException where there are none."""
        if not kept.files:
            told = "; ".join(f"'{one.name}': {NOT_KEPT[one.reason]}" for one in kept.refused[:3])
            raise HTTPException(422, f"Nothing of this zip can be kept; {len(kept.refused)} members are refused. {told}".strip())
        upload.whole.parent.mkdir(mode=0o750, exist_ok=True)
        upload.files.rename(upload.whole)
        try:
            await self._audit(upload, kept)
            request = JobRequest(cohort=upload.cohort, source=UPLOADS, path=f"{upload.cohort}/{upload.id}", quiet_s=asked.quiet_s)
            [job] = await self.steering.start_jobs(request)
        except BaseException:
            upload.whole.rename(upload.files)
            raise
        return job

    async def _audit(self, upload: Upload, kept: Kept) -> None:
        counts = {"files": kept.files, "bytes": kept.bytes, "refused": len(kept.refused)}
        record = {"_id": ulid(), "at": await self.store.now(), "what": "upload", "cohort": upload.cohort, "upload": upload.id, **counts}
        await self.store["audit"].insert_one(record)

    async def sweep(self) -> None:
        """Show that the own uploads live, and remove what dead gateways left: old parts, and files in their place without a job."""
        if self.settings.uploads is None or not (self.settings.uploads / PART).is_dir():
            return
        for part in tuple(self._under_way):
            with contextlib.suppress(FileNotFoundError):  # it just begins or ends
                os.utime(part)
        root = self._root()
        for part in await asyncio.to_thread(_without_life, root / PART, self.settings.upload_grace_s):
            if part in self._under_way:
                continue
            path = part.name.replace(".", "/")
            if await self.store["jobs"].find_one({"source": UPLOADS, "path": path}, {"_id": 1}) is None:
                await asyncio.to_thread(shutil.rmtree, root / path, ignore_errors=True)
            await asyncio.to_thread(shutil.rmtree, part, ignore_errors=True)
            _log.info("upload_leftover_removed", extra={"upload": part.name.partition(".")[2]})


def routes(service: Service, settings: GatewaySettings, steering: Steering) -> APIRouter:
    """The routes of uploads, to be put behind the key."""
    uploads = Uploads(service, settings, steering)
    router = APIRouter(tags=["jobs"])

    @router.post("/uploads", status_code=201, responses=PROBLEMS)
    async def upload(request: Request, asked: Annotated[UploadRequest, Query()]) -> Document:
        """Ingest the body: a zip of files, or one; headers may tell its name (`Gyrus-Name`, percent-encoded) and age (`Last-Modified`)."""
        return await uploads.take(request, asked)

    return router


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Errors of an upload as answers."""
    try:
        yield
    except TooMuch as error:
        raise HTTPException(413, str(error)) from None
    except NoZip as error:
        raise HTTPException(422, str(error)) from None
    except ClientDisconnect:
        _log.info("upload_broken_off")
        raise HTTPException(400, "The upload broke off; nothing of it was kept.") from None
    except OSError as error:
        raise Away(f"The upload could not be written ({error.strerror or type(error).__name__}); try again.") from error


async def _blocks(pieces: AsyncIterator[bytes], idle_s: float) -> AsyncIterator[bytes]:
    """The body in larger blocks. Raises HTTPException where nothing comes for too long."""
    block = bytearray()
    while True:
        try:
            async with asyncio.timeout(idle_s):
                piece = await anext(pieces, None)
        except TimeoutError:
            raise HTTPException(408, f"Nothing came for {idle_s:g} s; nothing of this upload was kept.") from None
        if piece is None:
            break
        block += piece
        if len(block) >= BLOCK_BYTES:
            yield bytes(block)
            block.clear()
    if block:
        yield bytes(block)


def _path_in(request: Request) -> str:
    """The path of a single file, from a header: names are no matter of URLs. Raises HTTPException."""
    given = request.headers.get("gyrus-name", "upload")
    try:
        return path_of(os.fsdecode(unquote_to_bytes(given.encode("latin-1"))))
    except NotKept as why:
        raise HTTPException(422, f"The file cannot have this name (Gyrus-Name): {why}") from None


def _moment_in(request: Request) -> float | None:
    """When a single file was last changed, s since 1970, where a header tells."""
    try:
        moment_s = parsedate_to_datetime(request.headers["last-modified"]).timestamp()
    except (KeyError, ValueError, OverflowError):
        return None
    return moment_s if 0 <= moment_s < 1 << 32 else None  # as a zip, and as ns within what MongoDB can hold


def _refused(kept: Kept) -> Document:
    told = [{**one._asdict(), "detail": NOT_KEPT[one.reason]} for one in kept.refused[:MOST_TOLD]]
    return {"refused": told, "refused_count": len(kept.refused)}


def _without_life(parts: Path, grace_s: float) -> list[Path]:
    """Uploads under way that have shown no sign of life within the grace, of whatever gateway."""
    found = []
    for part in parts.iterdir():
        with contextlib.suppress(FileNotFoundError):  # it ended while we looked
            if _PART_NAME.fullmatch(part.name) and time.time() - part.stat().st_mtime > grace_s:
                found.append(part)
    return found


def _size(count: int) -> str:
    """Bytes for people."""
    power = min((len(str(count)) - 1) // 3, 3)
    return f"{count / 1000**power:.3g} {('bytes', 'kB', 'MB', 'GB')[power]}"
