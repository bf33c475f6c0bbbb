"""The members of a zip as files: by what is really there, never by what the zip says of itself.

A member that cannot be kept is refused by its name, with a reason of the closed list; the others go on. A zip whose directory cannot
be read, or that holds too much, is refused whole.
"""

import io
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from gyrus.shared.paths import to_text

NOT_KEPT: dict[str, str] = {
    "absolute_name": "The name begins at a root or a drive.",
    "leads_out": "The name leads out of its folder.",
    "bad_name": "The name is empty, or holds control characters.",
    "long_name": "The name is longer than 1024 bytes, a part of it longer than 255, or it is more than 32 folders deep.",
    "name_taken": "Another member has this name, or needs it as a folder.",
    "link": "It is a symbolic link.",
    "special_file": "It is no regular file.",
    "encrypted": "It is encrypted; zip it without a password.",
    "unknown_compression": "It is neither stored nor deflated.",
    "overlapping": "Its bytes overlap with those of another member, or lie outside of the zip.",
    "bomb": "It inflates to more than 200 times its size.",
    "damaged": "Its bytes are not what the zip says of them (checksum or size).",
}
RATIO = 200  # deflate reaches 1032; an image, even with empty slices, stays far below
BLANK_BYTES = 4 << 20  # a member below this may be of zeros only: an empty slice
BLANK_BYTES_WHOLE = 64 << 20  # the same of a whole zip
DIRECTORY_BYTES = 64 << 20  # zipfile holds the whole directory in memory
CHUNK = 1 << 20
DEEPEST = 32
_ENTRY = b"PK\x01\x02"
_LOCAL_HEADER_BYTES = 30
_UTF8_NAME, _ENCRYPTED = 0x800, 0x1
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ROOT = re.compile(r"\\|[A-Za-z]:")
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError, OverflowError)  # zipfile, on hostile bytes


class NotKept(Exception):
    """A file that cannot be kept; `reason` is a code of NOT_KEPT."""

    def __init__(self, reason: str) -> None:
        super().__init__(NOT_KEPT[reason])
        self.reason = reason


class NoZip(Exception):
    """A zip whose directory cannot be read."""


class TooMuch(Exception):
    """A zip that holds more than is taken; the message says of what."""


class Refused(NamedTuple):
    """A member that was not kept: its name as text, and a code of NOT_KEPT."""

    name: str
    reason: str


class Member(NamedTuple):
    """A member to write, and its path below the folder, as the operating system names it."""

    info: zipfile.ZipInfo
    path: str


@dataclass
class Kept:
    """What was written: files, their bytes, and the members that were refused."""

    files: int = 0
    bytes: int = 0
    refused: list[Refused] = field(default_factory=list)


def is_zip(head: bytes) -> bool:
    """Whether a file begins as a zip does, be it an empty one. A DICOM file may do so too: ask for that first."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def path_of(name: str) -> str:
    """The path below its folder that a name means, as it is. Raises NotKept."""
    if _CONTROL.search(name):
        raise NotKept("bad_name")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or _ROOT.match("/".join(parts)):
        raise NotKept("absolute_name")
    if ".." in re.split(r"[/\\]", name):
        raise NotKept("leads_out")
    if not parts:
        raise NotKept("bad_name")
    sizes = [len(os.fsencode(part)) for part in parts]
    if max(sizes) > 255 or sum(sizes) + len(sizes) > 1024 or len(parts) > DEEPEST:
        raise NotKept("long_name")
    return "/".join(parts)


def name_of(info: zipfile.ZipInfo) -> str:
    """The whole name of a member as the operating system would name it: bytes that are not said to be UTF-8 are taken as they are."""
    name = info.orig_filename  # `filename` ends at a NUL
    return name if info.flag_bits & _UTF8_NAME else os.fsdecode(name.encode("cp437"))


def moment_of(info: zipfile.ZipInfo) -> float | None:
    """When a member was last changed, s since 1970, as if it were UTC: a zip does not say where its clock hung. None: no such moment."""
    # Of files that contradict each other the older one wins, so that a file must not become as young as its upload.
    try:
        return datetime(*info.date_time, tzinfo=UTC).timestamp()
    except ValueError:
        return None


def plan(infos: Sequence[zipfile.ZipInfo], end: int) -> tuple[list[Member], list[Refused]]:
    """Which members to write, and which not. end: the byte at which the directory begins."""
    kept: list[Member] = []
    refused: list[Refused] = []
    overlapping = _overlapping(infos, end)
    for info in infos:
        name = name_of(info)
        if name.endswith("/") and not info.file_size:
            continue  # a folder; those of files are made with them
        try:
            if id(info) in overlapping:
                raise NotKept("overlapping")
            _check(info, name)
            kept.append(Member(info, path_of(name)))
        except NotKept as why:
            refused.append(Refused(to_text(name), why.reason))
    return kept, refused


def _check(info: zipfile.ZipInfo, name: str) -> None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        raise NotKept("link")
    if kind not in (0, stat.S_IFREG) or name.endswith("/"):
        raise NotKept("special_file")
    if info.flag_bits & _ENCRYPTED:
        raise NotKept("encrypted")
    # The decoders of zipfile for bzip2 and lzma have no bound on what one read gives.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise NotKept("unknown_compression")


def _overlapping(infos: Sequence[zipfile.ZipInfo], end: int) -> set[int]:
    """The `id` of those that reach into the next one or into the directory; the others together are no longer than the zip."""
    ordered = sorted(infos, key=lambda info: info.header_offset)
    following = [*(info.header_offset for info in ordered), end][1:]
    return {id(info) for info, start in zip(ordered, following, strict=True) if info.header_offset < 0 or _end_of(info) > start}


def _end_of(info: zipfile.ZipInfo) -> int:
    """Where a member ends at the earliest: its own header may hold more than the directory says."""
    name = info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8_NAME else "cp437")
    return info.header_offset + _LOCAL_HEADER_BYTES + len(name) + info.compress_size


class _Guarded(io.FileIO):
    """A file whose reads are looked at, as long as `most` is set, so that no directory of more entries comes into memory."""

    most: int | None = None

    def read(self, size: int | None = -1, /) -> bytes:
        if self.most is None:
            return super().read(size) or b""
        if size is not None and size > DIRECTORY_BYTES:
            raise TooMuch(f"The directory of the zip has {size / 1e6:.0f} MB; {DIRECTORY_BYTES / 1e6:.0f} MB are taken.")
        data = super().read(size) or b""
        if data.count(_ENTRY) > self.most:
            raise TooMuch(f"The zip has more than {self.most} members; make several of it.")
        return data


class Zip:
    """A zip that is open for reading; `members` and `refused` as planned, `size` the bytes that it has at most when it is written."""

    def __init__(self, path: Path, most_members: int) -> None:
        """Raises NoZip, TooMuch."""
        self._packed = path.stat().st_size
        self._file = _Guarded(path)
        self._file.most = most_members
        try:
            self._zip = zipfile.ZipFile(self._file)
        except (*_BROKEN, OSError) as error:
            self._file.close()
            raise NoZip("This is no whole zip: its directory, which is its end, cannot be read. Was it cut off?") from error
        except TooMuch:
            self._file.close()
            raise
        self._file.most = None
        self.members, self.refused = plan(self._zip.infolist(), self._zip.start_dir)
        self.size = sum(member.info.file_size for member in self.members)

    def __enter__(self) -> "Zip":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._zip.close()
        self._file.close()

    def write(self, folder: Path, beat: Callable[[], None]) -> Kept:
        """Write every member that can be kept below a folder that is ours alone; `beat` is called often, and may raise. Raises TooMuch."""
        kept = Kept(refused=list(self.refused))
        for member in self.members:
            try:
                kept.bytes += self._write(member, folder / member.path, beat)
                kept.files += 1
            except NotKept as why:
                kept.refused.append(Refused(to_text(name_of(member.info)), why.reason))
            if kept.bytes > max(BLANK_BYTES_WHOLE, RATIO * self._packed):
                raise TooMuch(f"The zip inflates to more than {RATIO} times its size.")
        return kept

    def _write(self, member: Member, path: Path, beat: Callable[[], None]) -> int:
        try:
            path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o640)
        except (FileExistsError, IsADirectoryError, NotADirectoryError):
            raise NotKept("name_taken") from None
        try:
            with os.fdopen(handle, "wb") as file:
                written = self._copy(member.info, file, beat)
        except NotKept:
            path.unlink()
            raise
        if (moment_s := moment_of(member.info)) is not None:
            os.utime(path, (moment_s, moment_s))
        return written

    def _copy(self, info: zipfile.ZipInfo, file: io.BufferedWriter, beat: Callable[[], None]) -> int:
        """The bytes of a member, counted as they come."""
        written = 0
        for chunk in self._chunks(info):
            beat()
            written += len(chunk)
            if written > max(BLANK_BYTES, RATIO * info.compress_size):
                raise NotKept("bomb")
            file.write(chunk)
        if written != info.file_size:
            raise NotKept("damaged")
        return written

    def _chunks(self, info: zipfile.ZipInfo) -> Iterator[bytes]:
        try:
            with self._zip.open(info) as member:
                while chunk := member.read(CHUNK):
                    yield chunk
        except _BROKEN:
            raise NotKept("damaged") from None
