"""What is on disk: a walk in a fixed order that follows no links and skips nothing silently."""

import os
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from gyrus.shared.errors import Away
from gyrus.shared.paths import from_text, to_text


class Seen(NamedTuple):
    """A regular file: its text path within the source, size in bytes, time of last change in ns."""

    path: str
    size: int
    mtime_ns: int


class Walk:
    """The regular files below a folder (or that one file), folder by folder; `skipped` counts what is not one.

    lost: what was listed and then was not there; whoever finds it there after the walk knows that the source was away in between.
    """

    def __init__(self, root: str, below: str) -> None:
        self.root, self.below = root, below
        self.skipped: Counter[str] = Counter()
        self.lost: list[str] = []

    def __iter__(self) -> Iterator[Seen]:
        start = os.path.join(self.root, from_text(self.below)) if self.below else self.root  # noqa: PTH118 - any bytes
        if not _is_within(start, self.root):
            self.skipped["link"] += 1
        elif os.path.isfile(start) and not os.path.islink(start):  # noqa: PTH113, PTH114
            yield self._seen(start, os.stat(start))  # noqa: PTH116
        else:
            folders = [start]
            while folders:  # no recursion: a tree may be as deep as it likes
                yield from self._folder(folders.pop(), folders)

    def _folder(self, folder: str, folders: list[str]) -> Iterator[Seen]:
        """The files of one folder; its own folders are put on the stack, so that they come next and in order."""
        within = []
        for entry in self._entries(folder):
            if entry.is_symlink():
                self.skipped["link"] += 1
            elif entry.is_dir(follow_symlinks=False):
                within.append(entry.path)
            elif entry.is_file(follow_symlinks=False):
                yield from self._file(entry)
            else:
                self.skipped["special file"] += 1
        folders += reversed(within)

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except (PermissionError, FileNotFoundError, NotADirectoryError) as error:
            is_lost = isinstance(error, FileNotFoundError)
            self.skipped["missing folder" if is_lost else "unreadable folder"] += 1
            self.lost += [folder] * is_lost
            return []
        except OSError as error:
            raise _broke_off(error) from error

    def _file(self, entry: os.DirEntry[str]) -> Iterator[Seen]:
        try:
            yield self._seen(entry.path, entry.stat(follow_symlinks=False))
        except FileNotFoundError:
            self.lost.append(entry.path)  # it went while we looked; the documents are asked about it afterwards
        except PermissionError:
            self.skipped["unreadable file"] += 1  # its folder may be listed, not entered
        except OSError as error:
            raise _broke_off(error) from error

    def came_back(self) -> bool:
        """Whether something that was lost is there after all."""
        return any(os.path.lexists(path) for path in self.lost)

    def _seen(self, path: str, stat: os.stat_result) -> Seen:
        return Seen(to_text(os.path.relpath(path, self.root)), stat.st_size, stat.st_mtime_ns)


def _broke_off(error: OSError) -> Away:
    return Away(f"the source broke off while it was read: {error.strerror}")


def _is_within(path: str, root: str) -> bool:
    """Whether a path lies in a folder once all links are followed."""
    real, base = os.path.realpath(path), os.path.realpath(root)
    return os.path.commonpath([real, base]) == base


def missing(root: str, paths: list[str]) -> list[str]:
    """Those text paths of a source at which there is no file any more."""
    return [path for path in paths if _is_missing(os.path.join(root, from_text(path)))]  # noqa: PTH118


def _is_missing(path: str) -> bool:
    """It is not there; what cannot be looked at is not missing."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False
