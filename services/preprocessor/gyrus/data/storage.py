"""Where volumes lie: a folder, or what fsspec knows by its address (`s3://bucket/prefix`, with gyrus[s3]). Nothing is ever half there.

In a folder a file is written under a passing name and renamed; an object of a store is there when it is whole. Names are relative, with /.
"""

import errno
import io
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, Final, TypeVar

T = TypeVar("T")
REMOTE: Final = "://"
HERE: Final = ("file://", "local://")  # how fsspec names files of this machine
Address = str | os.PathLike[str]


class RemoteError(OSError):
    """A remote store does not do what it is asked: it is away, or closed to us."""


class Storage:
    """One folder or prefix, and what lies in it. Pickles; connects when it is first used.

    Raises ValueError for an address that nothing here can reach.
    """

    def __init__(self, address: Address) -> None:
        text = path_of(address)
        self.is_local = REMOTE not in text
        self.address = str(Path(text).absolute()) if self.is_local else text.rstrip("/")
        if not self.is_local:
            _check_client(self.address)

    def __reduce__(self) -> tuple[type["Storage"], tuple[str]]:
        return Storage, (self.address,)

    def below(self, folder: Address) -> "Storage":
        """A folder of it."""
        return Storage(f"{self.address}/{os.fspath(folder)}")

    def path(self, name: str) -> Path:
        """Of a local file. Raises ValueError for what is remote."""
        if not self.is_local:
            raise ValueError(f"{self.address} is no folder of this machine")
        return Path(self.address, name)

    def write(self, name: str, content: bytes) -> None:
        """All or nothing."""
        if self.is_local:
            self._write_here(self.path(name), content)
        else:
            self._ask(name, lambda: self._system.pipe_file(self._at(name), content), may_lack=False)

    @staticmethod
    def _write_here(path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write_whole(path, content)
        except FileNotFoundError:  # whoever removes what is old took the folder while it was empty
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, content)

    def read(self, name: str) -> bytes:
        """Raises FileNotFoundError."""
        return self.path(name).read_bytes() if self.is_local else self._ask(name, lambda: bytes(self._system.cat_file(self._at(name))))

    def open(self, name: str) -> BinaryIO:
        """For reading: the file itself, or all of an object in memory. Raises FileNotFoundError."""
        return self.path(name).open("rb") if self.is_local else io.BytesIO(self.read(name))

    def exists(self, name: str) -> bool:
        """Raises RemoteError where a store cannot say so; the isfile of its client would say no."""
        if self.is_local:
            return self.path(name).is_file()
        with suppress(FileNotFoundError):
            return self._ask(name, lambda: bool(self._system.info(self._at(name))["type"] == "file"))
        return False

    def size(self, name: str) -> int:
        """Of a file, bytes. Raises FileNotFoundError."""
        return self.path(name).stat().st_size if self.is_local else self._ask(name, lambda: int(self._system.size(self._at(name))))

    def delete(self, names: Iterable[str]) -> None:
        """In this order; what is not there is gone already. Folders that are empty then go too."""
        folders = set()
        for name in names:
            folders.add(Path(name).parent)
            with suppress(FileNotFoundError):
                self._delete(name)
        for folder in folders if self.is_local else ():
            with suppress(OSError):  # something else is in it
                self.path(str(folder)).rmdir()

    def _delete(self, name: str) -> None:
        if self.is_local:
            self.path(name).unlink()
        else:
            self._ask(name, lambda: self._system.rm_file(self._at(name)))

    def find(self, ending: str = "") -> list[tuple[str, float]]:
        """All files below with such an ending, sorted, and how old each is, in seconds."""
        if not self.is_local:
            now, found = time.time(), self._ask("", lambda: self._system.find(self._at(""), detail=True))
            return sorted((at[len(self._at("")) :], now - _written(about)) for at, about in found.items() if at.endswith(ending))
        paths = (Path(where, name) for where, _, names in os.walk(self.address) for name in names if name.endswith(ending))
        return sorted(one for path in paths for one in _aged(path, self.address))

    def stamp(self, name: str) -> list[Any]:
        """Size and time of a file, or of all files of a folder (how many, size, latest time), as plain JSON. Raises FileNotFoundError."""
        if self.is_local and self.path(name).is_file():
            stat = self.path(name).stat()
            return [[Path(name).name, stat.st_size, stat.st_mtime_ns]]
        found = self._stats(name)
        if not found:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), f"{self.address}/{name}")
        return [len(found), sum(size for size, _ in found), max(when for _, when in found)]

    def _stats(self, name: str) -> list[tuple[int, int]]:
        """Size and time (ns) of all files at or below."""
        if not self.is_local:
            found = self._ask(name, lambda: self._system.find(self._at(name), detail=True))
            return [(int(about["size"]), int(_written(about) * 1e9)) for about in found.values()]
        paths = [Path(where, one) for where, _, names in os.walk(self.path(name)) for one in names]
        return [(stat.st_size, stat.st_mtime_ns) for stat in map(_stat, paths)]

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        """A file or folder of it as a path of this machine: itself, or a copy for the while."""
        if self.is_local:
            yield self.path(name)
            return
        with TemporaryDirectory(prefix="gyrus-") as folder:
            to = Path(folder, Path(name).name)
            is_folder = self._ask(name, lambda: self._system.isdir(self._at(name)))
            self._ask(name, lambda: self._system.get(self._at(name) + ("/" if is_folder else ""), str(to), recursive=is_folder))
            yield to

    @cached_property
    def _system(self) -> Any:
        import fsspec  # noqa: PLC0415 - a folder needs none

        return fsspec.url_to_fs(self.address, use_listings_cache=False, skip_instance_cache=True)[0]

    def _at(self, name: str) -> str:
        return f"{self._system._strip_protocol(self.address)}/{name}"

    def _ask(self, name: str, what: Callable[[], T], may_lack: bool = True) -> T:
        """Whatever a store's client raises is trouble with the store; each has errors of its own.

        may_lack: but a file that is not there is just that.
        """
        try:
            return what()
        except Exception as error:
            if may_lack and isinstance(error, FileNotFoundError):
                raise
            said = f"{type(error).__name__}: {error}".splitlines()[0][:200]
            raise RemoteError(getattr(error, "errno", None) or errno.EIO, said, f"{self.address}/{name}") from error


def write_whole(path: Path, content: bytes) -> None:
    """All or nothing. The passing name is nobody else's: two writers of one image write the same bytes and do not meet."""
    passing = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        passing.write_bytes(content)
        passing.replace(path)
    finally:
        passing.unlink(missing_ok=True)


def path_of(address: Address) -> str:
    """The path that a `file://…` names, so that it is a folder as any other; each other address as it is."""
    text = os.fspath(address)
    return next((text.removeprefix(scheme) for scheme in HERE if text.startswith(scheme)), text)


def place_of(address: Address) -> tuple[Storage, str]:
    """Where a file lies, and its name there."""
    text = path_of(address)
    folder, _, name = text.rpartition("/") if REMOTE in text else (str(Path(text).absolute().parent), "", Path(text).name)
    return Storage(folder), name


def _check_client(address: str) -> None:
    import fsspec  # noqa: PLC0415 - a folder needs none

    try:
        fsspec.get_filesystem_class(address.partition(REMOTE)[0])
    except (ImportError, ValueError) as error:
        raise ValueError(f"{address} cannot be reached: {error}. Install gyrus[s3] for s3://.") from None


def _stat(path: Path) -> os.stat_result:
    """Of a file; of a link to what is not there, its own."""
    try:
        return path.stat()
    except OSError:
        return path.lstat()


def _aged(path: Path, root: str) -> Iterator[tuple[str, float]]:
    with suppress(FileNotFoundError):  # it went meanwhile
        yield path.relative_to(root).as_posix(), time.time() - path.stat().st_mtime


def _written(about: Any) -> float:
    """When an object was written, s; of a store that does not say, now."""
    when = about.get("LastModified") or about.get("last_modified") or about.get("created")
    return float(when.timestamp()) if hasattr(when, "timestamp") else float(when or time.time())
