"""Opening the files of a batch in worker processes: what they say, and who is to blame where one says nothing.

A file is rejected for what it did itself only: it is blamed for the death of its reader when readers of its own died too; it has
vanished, storage failed on it, or it takes too long, when a second look says so while its source is there and its folder can be listed.
Else the source is away, and the batch waits.
"""

import asyncio
import errno
import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import PurePath
from typing import Any
from zlib import crc32

from gyrus.dicom.field import Field
from gyrus.dicom.reader import Rejected, read
from gyrus.dicom.site_fields import site_fields_of, table_with
from gyrus.extractor.files import Said, said
from gyrus.extractor.settings import ExtractorSettings
from gyrus.shared import crash, metrics
from gyrus.shared.errors import Away
from gyrus.shared.sources import Sources
from gyrus.shared.workers import WorkerFull, WorkerLost, Workers, WorkerStalled

ONE_IN = 1000  # files is read in both ways, so that a difference is noticed
Files = Sequence[Mapping[str, Any]]

# A mount, a device or the machine says these, whatever the file is.
STORAGE = frozenset(
    {
        errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ENODEV, errno.EREMOTEIO, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.EHOSTUNREACH,
        errno.ENETDOWN, errno.ENETUNREACH, errno.ECONNREFUSED, errno.ENOLINK, errno.ENFILE, errno.EMFILE, errno.ENOMEM,
    }
)  # fmt: skip


def read_file(path: str, cohort: str, subject_key: bytes, site: tuple[Field, ...] = ()) -> Said:
    """Read a header, in a worker process: the standard fields and the site's."""
    crash.point_in_worker("read.file", path)
    table = table_with(site)
    return said(read(path, table, is_checked=crc32(os.fsencode(path)) % ONE_IN == 0), cohort, subject_key, table.version)


def list_folder(folder: str) -> None:
    """Raises OSError where a folder cannot be listed."""
    with os.scandir(folder) as entries:
        next(entries, None)


def blamed(lost: WorkerLost, limit_s: float, stamp: tuple[int, int]) -> Rejected:
    """The rejection of a file that cost its readers; `stamp`: its size and time as they were announced, since nobody here touches it."""
    if isinstance(lost, WorkerFull):
        return Rejected("too_large", "Reading it takes more memory than a reader may have.", *stamp)
    if isinstance(lost, WorkerStalled):
        return Rejected("internal_error", f"Reading took longer than {limit_s:g} s.", *stamp, errno.ETIMEDOUT)
    return Rejected("internal_error", "The reader died of this file.", *stamp)


class Opening:
    """Opens files."""

    def __init__(self, sources: Sources, settings: ExtractorSettings, workers: Workers) -> None:
        self._sources, self._workers = sources, workers
        self._at_once, self._limit_s = settings.read_workers, settings.read_limit_s
        self._site = site_fields_of(settings.site_fields)
        self._key = settings.subject_key.get_secret_value().encode()

    async def read(self, batch: Mapping[str, Any], files: Files) -> list[Said]:
        """What each of some files of a batch says. Raises Away where the source, or a part of it, is not there."""
        source = batch["source"]
        answers = await self._read(batch, files, min(batch["workers"] or self._at_once, self._at_once))
        doubted = [place for place, answer in enumerate(answers) if _may_be_the_source(answer)]
        if doubted:
            again = await self._read(batch, [files[place] for place in doubted], 1)
            for place, answer in zip(doubted, again, strict=True):
                if _is_of_storage(answer):
                    await self._check_folder(source, files[place])
                answers[place] = answer
        self._sources.root(source)  # a mount that was lost meanwhile: those files did not vanish
        for answer in answers:
            if answer.header:
                metrics.HEADERS.labels(answer.unusual or "walk").inc()
        return answers

    async def _read(self, batch: Mapping[str, Any], files: Files, at_once: int) -> list[Said]:
        paths = self._sources.locate_all(batch["source"], [file["path"] for file in files])
        read_one = partial(read_file, cohort=batch["cohort"], subject_key=self._key, site=self._site)
        size = -(-len(paths) // at_once)
        parts = [paths[start : start + size] for start in range(0, len(paths), size)]
        read_parts = await asyncio.gather(*(self._workers.each(self._limit_s, read_one, part) for part in parts))
        answers = [answer for part in read_parts for answer in part]
        return [
            self._blamed(answer, batch, file) if isinstance(answer, WorkerLost) else answer
            for answer, file in zip(answers, files, strict=True)
        ]

    def _blamed(self, lost: WorkerLost, batch: Mapping[str, Any], file: Mapping[str, Any]) -> Said:
        rejected = blamed(lost, self._limit_s, (file["size"] or 0, file["mtime_ns"] or 0))
        return said(rejected, batch["cohort"], self._key, table_with(self._site).version)

    async def _check_folder(self, source: str, file: Mapping[str, Any]) -> None:
        folder = str(PurePath(self._sources.locate(source, file["path"])).parent)
        try:
            await self._workers.run(self._limit_s, list_folder, folder)
        except (PermissionError, FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise Away(f"a folder of source '{source}' cannot be listed: {error.strerror}") from error
        except WorkerLost as lost:
            raise Away(f"a folder of source '{source}' cannot be listed: {lost}") from lost


def _is_of_storage(answer: Said) -> bool:
    return answer.errno in STORAGE


def _may_be_the_source(answer: Said) -> bool:
    return answer.gone or _is_of_storage(answer)
