"""When a file that was just found counts: once it was the same at two looks, some time apart. Pure."""

from collections import deque
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

Found = Mapping[str, Any]  # {id, path, size, mtime_ns}

# Names under which files are written by rsync, browsers, FTP and SFTP clients before they are renamed.
TEMPORARY = (".*", "*.part", "*.partial", "*.tmp", "*.temp", "*.filepart", "*.crdownload", "*.download", "*~")


def is_in_transfer(path: str, mtime_ns: int, now_ns: int, temporary_s: float) -> bool:
    """Whether a file has a name for the time of its transfer, and was written to a short while ago."""
    name = path.rpartition("/")[2]
    return abs(now_ns - mtime_ns) < temporary_s * 1e9 and any(fnmatchcase(name, pattern) for pattern in TEMPORARY)


class Still:
    """Files that were seen once, in the order in which they were; at most `most` (a look then waits for them)."""

    def __init__(self, stable_s: float, most: int = 20_000) -> None:
        self._stable_s, self._most = stable_s, most
        self._waiting: deque[tuple[float, Found]] = deque()

    def add(self, files: Iterable[Found], at_s: float) -> None:
        """These were seen now."""
        self._waiting += ((at_s, file) for file in files)

    def ripe(self, at_s: float) -> list[Found]:
        """Those whose second look is due; they wait no longer."""
        files = []
        while self._waiting and at_s - self._waiting[0][0] >= self._stable_s:
            files.append(self._waiting.popleft()[1])
        return files

    def due_in_s(self, at_s: float) -> float | None:
        """When the next second look is due; None where nothing waits."""
        return max(self._waiting[0][0] + self._stable_s - at_s, 0.0) if self._waiting else None

    @property
    def is_full(self) -> bool:
        return len(self._waiting) >= self._most
