"""One file becomes a header, or a rejection with its reason. Nothing raises, nothing beyond the pixels' announcement is read.

But a MemoryError is raised: who gave the memory judges, and a process that had none left is not to be trusted with the next file.

Headers are hostile input: one that is longer than `LARGEST_HEADER`, inflated or not, has sequences of more than `MOST_ITEMS` items, or says
more than can be stored ends the reading, and its file is `too_large`.
"""

import errno
import io
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field

from gyrus.dicom.field import Table
from gyrus.dicom.fields import STANDARD
from gyrus.dicom.judging import Failure, Parsed
from gyrus.dicom.parse import parse, parse_twice
from gyrus.dicom.rejects import REJECT_REASONS
from gyrus.dicom.values import Value

NOT_THERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})  # the last: a link, which is not followed
Parse = Callable[[io.FileIO, int, Table], Parsed | Failure]
OPEN_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW  # no link; a pipe without a writer must not hold the reader up


@dataclass(frozen=True, slots=True)
class Header:
    """What an image file says.

    shared: fields that are the same for most images of a series; image: fields of this image, for an enhanced object with packed
    columns under `frames`. stacks: {"key", "frames": `1-33,67-99` or None for a classic image, "n": images}. Fields without a value
    are absent. size: bytes; mtime_ns: since the epoch. diagnostics: what was odd, with its count. unusual: why pydicom had to
    read the file, "" if the walk did. block: digest of `shared`. Headers have parts in common: nobody may change one.
    """

    sop_instance_uid: str
    series_instance_uid: str
    study_instance_uid: str
    shared: dict[str, Value]
    image: dict[str, Value]
    stacks: list[dict[str, Value]]
    size: int
    mtime_ns: int
    diagnostics: dict[str, int] = field(default_factory=dict)
    unusual: str = ""
    block: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why a file is no image of ours. `reason` is one of REJECT_REASONS; `detail` names no patient and no path.

    errno: of the system, where it is behind the reason.
    """

    reason: str
    detail: str
    size: int
    mtime_ns: int
    errno: int | None = None

    def __post_init__(self) -> None:
        if self.reason not in REJECT_REASONS:
            raise ValueError(f"'{self.reason}' is no reason to reject a file; allowed are {', '.join(REJECT_REASONS)}.")


def read(path: str | os.PathLike[str], table: Table = STANDARD, *, is_checked: bool = False) -> Header | Rejected:
    """Read the header of one file: the fields of the table. is_checked: in both ways; where they differ pydicom's word counts."""
    try:
        handle = os.open(path, OPEN_FLAGS)
    except (OSError, ValueError) as error:
        code = getattr(error, "errno", None)
        return Rejected("vanished", "", 0, 0) if code in NOT_THERE else Rejected("unreadable", _system(error), 0, 0, code)
    try:
        return _read_open(handle, table, parse_twice if is_checked else parse)
    finally:
        os.close(handle)


def _read_open(handle: int, table: Table, parse_it: Parse) -> Header | Rejected:
    before = os.fstat(handle)
    if not stat.S_ISREG(before.st_mode):
        return Rejected("vanished", "", 0, 0)  # a folder or a pipe in its place: walks announce regular files only
    outcome = _outcome(io.FileIO(handle, closefd=False), before.st_size, table, parse_it)
    after = os.fstat(handle)
    if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        return Rejected("still_changing", "", after.st_size, after.st_mtime_ns)
    if isinstance(outcome, Failure):
        return Rejected(outcome.reason, outcome.detail[:200], before.st_size, before.st_mtime_ns, outcome.errno)
    return Header(
        outcome.sop_instance_uid,
        outcome.series_instance_uid,
        outcome.study_instance_uid,
        outcome.shared,
        outcome.image,
        outcome.stacks,
        before.st_size,
        before.st_mtime_ns,
        outcome.diagnostics,
        outcome.unusual,
        outcome.block,
    )


def _outcome(raw: io.FileIO, size: int, table: Table, parse_it: Parse) -> Parsed | Failure:
    """The parsed header, whatever happens: a broken file may make the parser fail in any way."""
    try:
        return parse_it(raw, size, table)
    except OSError as error:
        return Failure("unreadable", _system(error), error.errno)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a fault of ours must cost one file, not the worker's batch
        return Failure("internal_error", type(error).__name__)


def _system(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
