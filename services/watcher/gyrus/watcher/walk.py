"""What is on disk: a walk, folder by folder, that follows no links and skips nothing silently.

Several folders are listed at once, ahead of whoever asks: on network storage each listing and each stat is a round trip. What is held in
memory is bounded: a few folders, and of a large one only its beginning; the rest is listed as it is asked for.
"""

import errno
import os
import stat
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from fnmatch import fnmatchcase
from itertools import islice
from typing import NamedTuple

from gyrus.shared.errors import Away
from gyrus.shared.paths import from_text, to_text

OF_PLACE = (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP)  # what is wrong with one place, and not with the source
AHEAD = 8  # folders that are listed before they are asked for
LISTED = 4096  # entries of a folder that are held; of a larger one the rest is listed as it is asked for


class Seen(NamedTuple):
    """A regular file: its text path within the source, size in bytes, time of last change in ns."""

    path: str
    size: int
    mtime_ns: int


class Patterns(NamedTuple):
    """Which files are looked at: any of `include` if there are some, none of `exclude`.

    A pattern with `/` is compared with the path within the source, one without with the file's name; `*` spans folders.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def take(self, path: str) -> bool:
        """Whether a file of this text path is looked at."""
        return (not self.include or _any(self.include, path)) and not _any(self.exclude, path)


ALL = Patterns()


def _any(patterns: Sequence[str], path: str) -> bool:
    name = path.rpartition("/")[2]
    return any(fnmatchcase(path if "/" in pattern else name, pattern) for pattern in patterns)


class Folder(NamedTuple):
    """A folder as it was listed: its time of last change before that, and the folders in it (as the operating system names them)."""

    mtime_ns: int
    folders: tuple[str, ...]


class Walk:
    """The regular files below a folder (or that one file), folder by folder.

    `skipped` counts what is not looked at, by its reason. `listed`: every folder that was listed whole. `quiet`: folders as they were
    listed before; where a folder's time is still the same its files are not looked at, only the folders in it. `lost`: what was listed
    and then was not there; whoever finds it there after the walk knows that the source was away in between.
    """

    def __init__(self, root: str, below: str, patterns: Patterns = ALL, quiet: Mapping[str, Folder] | None = None) -> None:
        self.root = root.rstrip("/")
        self.below = os.path.normpath(from_text(below)) if below else ""
        self.patterns = patterns
        self.quiet = quiet or {}
        self.skipped: Counter[str] = Counter()
        self.listed: dict[str, Folder] = {}
        self.lost: list[str] = []

    def __iter__(self) -> Generator[Seen, None, None]:
        start = f"{self.root}/{self.below}" if self.below else self.root or "/"
        if not _is_within(start, self.root or "/"):
            self.skipped["link"] += 1
        elif os.path.isfile(start) and not os.path.islink(start):  # noqa: PTH113, PTH114
            yield _seen(self.text(start), os.stat(start))  # noqa: PTH116
        else:
            with ThreadPoolExecutor(AHEAD, "walk") as pool:
                yield from self._below(start, pool)

    def text(self, path: str) -> str:
        """The text path, within the source, of a path as the operating system names it."""
        return to_text(path[len(self.root) + 1 :])

    def came_back(self) -> bool:
        """Whether something that was lost is there after all."""
        return any(os.path.lexists(path) for path in self.lost)

    def _below(self, start: str, pool: ThreadPoolExecutor) -> Iterator[Seen]:
        folders = [start]  # no recursion: a tree may be as deep as it likes
        ahead: dict[str, Future[_Listing]] = {}
        while folders:
            for folder in folders[-AHEAD:]:
                if folder not in ahead:
                    ahead[folder] = pool.submit(self._list, folder)
            folder = folders.pop()
            listing = ahead.pop(folder).result()
            yield from listing.files()
            self.skipped += listing.skipped
            self.lost += listing.lost
            if listing.whole:
                self.listed[folder] = Folder(listing.mtime_ns, tuple(listing.folders))
            folders += sorted(listing.folders, reverse=True)

    def _list(self, folder: str) -> "_Listing":
        listing = _Listing(self, folder)
        listing.begin()
        return listing


class _Listing:
    """One folder: its files, as far as they were asked for, and its folders once they were all."""

    def __init__(self, walk: Walk, path: str) -> None:
        self.walk, self.path = walk, path
        self.folders: list[str] = []
        self.skipped: Counter[str] = Counter()
        self.lost: list[str] = []
        self.mtime_ns = 0
        self.whole = False
        self._entries: Iterator[os.DirEntry[str]] = iter(())
        self._first: list[Seen] = []

    def begin(self) -> None:
        """List the beginning, unless the folder is as it was."""
        try:
            self.mtime_ns = os.stat(self.path, follow_symlinks=False).st_mtime_ns  # noqa: PTH116
            before = self.walk.quiet.get(self.path)
            if before and before.mtime_ns == self.mtime_ns:
                self.folders, self.whole = list(before.folders), True
                return
            self._entries = os.scandir(self.path)
        except (PermissionError, FileNotFoundError, NotADirectoryError) as error:
            is_lost = isinstance(error, FileNotFoundError)
            self.skipped["missing folder" if is_lost else "unreadable folder"] += 1
            self.lost += [self.path] * is_lost
            return
        except OSError as error:
            if error.errno not in OF_PLACE:
                raise _broke_off(error) from error
            self.skipped["unreadable folder"] += 1
            return
        self.whole = True
        self._first = self._some()

    def files(self) -> Iterator[Seen]:
        """Its files: those of its beginning in the order of their names."""
        some = sorted(self._first, key=lambda seen: seen.path)
        while some:
            yield from some
            some = self._some()

    def _some(self) -> list[Seen]:
        found: list[Seen] = []
        try:
            while not found and (entries := list(islice(self._entries, LISTED))):
                for entry in entries:
                    self._look_at(entry, found)
        except OSError as error:
            raise _broke_off(error) from error
        return found

    def _look_at(self, entry: os.DirEntry[str], found: list[Seen]) -> None:
        if entry.is_symlink():
            self.skipped["link"] += 1
        elif entry.is_dir(follow_symlinks=False):
            self.folders.append(entry.path)
        elif not entry.is_file(follow_symlinks=False):
            self.skipped["special file"] += 1
        elif not self.walk.patterns.take(path := self.walk.text(entry.path)):
            self.skipped["excluded"] += 1
        else:
            try:
                found.append(_seen(path, entry.stat(follow_symlinks=False)))
            except FileNotFoundError:
                self.lost.append(entry.path)  # it went while we looked; the documents are asked about it afterwards
            except OSError as error:
                if error.errno not in OF_PLACE:
                    raise
                self.skipped["unreadable file"] += 1  # its folder may be listed, not entered; or its path is too long


def count(root: str, below: str, patterns: Patterns, stop: Callable[[], bool] = lambda: False) -> int:
    """How many files a walk would see, without looking at each; about so, since what cannot be listed counts nothing."""
    walk, files = Walk(root, below, patterns), 0
    folders = [f"{walk.root}/{walk.below}" if walk.below else walk.root or "/"]
    while folders and not stop():
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        files += patterns.take(walk.text(entry.path))
        except OSError:
            continue
    return files


def _broke_off(error: OSError) -> Away:
    return Away(f"the source broke off while it was read: {error.strerror}")


def _seen(path: str, status: os.stat_result) -> Seen:
    return Seen(path, status.st_size, status.st_mtime_ns)


def _is_within(path: str, root: str) -> bool:
    """Whether a path lies in a folder once all links are followed."""
    real, base = os.path.realpath(path), os.path.realpath(root)
    return os.path.commonpath([real, base]) == base


def missing(root: str, paths: list[str]) -> list[str]:
    """Those text paths of a source at which there is no file any more."""
    return [path for path in paths if _is_missing(os.path.join(root, from_text(path)))]  # noqa: PTH118


def _is_missing(path: str) -> bool:
    """There is no regular file; what cannot be looked at is not missing."""
    try:
        return not stat.S_ISREG(os.lstat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
