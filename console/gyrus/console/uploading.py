"""`gyrus upload`: files of this machine to a gateway anywhere; a folder or several files go as a zip that is made on the way."""

import contextlib
import io
import os
import sys
import time
import zipfile
from collections.abc import Iterator, Sequence
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple
from urllib.parse import quote

import typer

from gyrus.console.options import DATA, Data, Json, Key, Url, command, open_gateway
from gyrus.shared.errors import Misuse
from gyrus.shared.paths import from_text, to_text

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer
    from rich.progress import Progress, TaskID

    from gyrus.console.client import Gateway

Document = dict[str, Any]
CHUNK = 1 << 20
MOST_TOLD = 20  # refused members that are named to a person
_ZIP64_BYTES = 1 << 30  # a file may still grow while it is read
_SPAN_S = (315_532_800, 4_354_819_198)  # the first and the last moment of a zip: 1980 and 2107


class Sent(NamedTuple):
    """A file to send: where it is here, its name there, its bytes and its last change (s since 1970) when it was found."""

    path: Path
    name: str
    size: int
    changed_s: float


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(
        app,
        "upload",
        "Upload files, folders or a zip from this machine, and ingest them.",
        "upload visit.zip --cohort trial --wait",
        "upload DIR --cohort trial                a folder is zipped on the way",
    )
    def upload(  # noqa: PLR0913 - typer: a parameter an option
        paths: Annotated[list[Path], typer.Argument(metavar="PATH…", exists=True, help="Files or folders.", show_default=False)],
        *,
        cohort: Annotated[str, typer.Option("--cohort", "-c", help="Where its stacks belong.")] = "default",
        wait: Annotated[bool, typer.Option("--wait", help="Until everything is read, labelled and preprocessed.")] = False,
        json: Json = False,
        url: Url = None,
        key: Key = None,
        data: Data = DATA,
    ) -> None:
        """Upload, and wait if asked."""
        with open_gateway(url, key, data) as gateway:
            told = send(gateway, paths, cohort)
            _tell_refused(told)
            _wait_or_leave(gateway, told, wait, json)


def send(gateway: "Gateway", paths: Sequence[Path], cohort: str) -> Document:
    """Send files to a gateway: one as it is, several as a zip; what it answered. Raises Misuse, Away."""
    alone = len(paths) == 1 and paths[0].is_file()
    files = list(found_in(paths))
    if not files:
        raise Misuse("There is no file to upload: links and special files are not followed.")
    headers = _headers(files[0]) if alone else {}
    with progress() as (bar, task):
        bar.update(task, total=sum(file.size for file in files))

        def counted() -> Iterator[bytes]:
            for piece in _pieces_of(files[0]) if alone else zipped(files):
                bar.update(task, advance=len(piece))
                yield piece
            bar.update(task, description="the gateway looks at it")

        answer: Document = gateway.send("uploads", counted(), headers, cohort=cohort)
    return answer


def _headers(file: Sent) -> dict[str, str]:
    name = quote(os.fsencode(file.path.name))
    return {"Gyrus-Name": name, "Content-Length": str(file.size), "Last-Modified": formatdate(file.changed_s, usegmt=True)}


def found_in(paths: Sequence[Path]) -> Iterator[Sent]:
    """The regular files of some paths, in order, each path under its own name; links are not followed. Raises Misuse."""
    from gyrus.watcher.walk import Walk  # noqa: PLC0415

    places = [path.resolve() for path in paths]
    if len({place.name for place in places}) < len(places):
        raise Misuse("Two of these paths have the same name, and would meet in one folder: upload them one after the other.")
    for place in places:
        for seen in Walk(str(place.parent), to_text(place.name)):
            here = from_text(seen.path)
            yield Sent(place.parent / here, here if here.isprintable() else seen.path, seen.size, seen.mtime_ns / 1e9)


def zipped(files: Sequence[Sent]) -> Iterator[bytes]:
    """Files as a zip, piece by piece: stored, since images hardly shrink and the gateway would have to inflate them."""
    out = _Pieces()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for file in files:
            changed_s = min(max(file.changed_s, _SPAN_S[0]), _SPAN_S[1])
            info = zipfile.ZipInfo(file.name, time.gmtime(changed_s)[:6])
            info.external_attr = 0o100644 << 16
            with archive.open(info, "w", force_zip64=file.size > _ZIP64_BYTES) as member:
                for piece in _pieces_of(file):
                    member.write(piece)
                    yield out.taken()
    yield out.taken()


class _Pieces(io.RawIOBase):
    """What was written since somebody took it."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: "ReadableBuffer", /) -> int:
        self._waiting += data
        return memoryview(data).nbytes

    def taken(self) -> bytes:
        """It, once."""
        piece = bytes(self._waiting)
        self._waiting.clear()
        return piece


def _pieces_of(file: Sent) -> Iterator[bytes]:
    """The bytes of a file, as many as it had when it was found."""
    left = file.size
    try:
        with file.path.open("rb") as opened:
            while left and (piece := opened.read(min(CHUNK, left))):
                left -= len(piece)
                yield piece
    except OSError as error:
        raise Misuse(f"{file.path} cannot be read ({error.strerror}); nothing of this upload was kept.") from None


@contextlib.contextmanager
def progress() -> Iterator[tuple["Progress", "TaskID"]]:
    """A bar on standard error, where that is a terminal."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn  # noqa: PLC0415

    columns = (BarColumn(30), DownloadColumn(), TransferSpeedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        yield bar, bar.add_task("", total=None)


def _tell_refused(told: Document) -> None:
    """Members that the gateway did not keep, on standard error."""
    for one in told["refused"][:MOST_TOLD]:
        print(f"refused {one['name']!r}: {one['detail']}", file=sys.stderr)
    if told["refused_count"] > MOST_TOLD:
        print(f"… and {told['refused_count'] - MOST_TOLD} more; --json names them", file=sys.stderr)


def _wait_or_leave(gateway: "Gateway", told: Document, wait: bool, json: bool) -> None:
    from gyrus.console import ingest, render, running  # noqa: PLC0415

    if wait:
        [told["job"]] = ingest.wait_unless_interrupted(gateway, [told["job"]])
    job = told["job"]
    if json:
        render.lines([told])
    else:
        print(f"upload {told['upload']}: {told['files']} files, {told['bytes'] / 1e6:.1f} MB")
        if wait:
            running.tell_jobs(gateway, [job])
        else:
            print(ingest.started(job))
    if job["state"] == "failed":
        raise typer.Exit(1)
