"""Named sources: from a name and a relative text path to a file that this service can open, and back."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

from gyrus.shared.errors import Away, Misuse
from gyrus.shared.ids import digest
from gyrus.shared.paths import from_text, to_text
from gyrus.shared.settings import Settings, Source

UPLOADS = "uploads"


def folder_name(folder: Path) -> str:
    """The name of a source that is made of a folder; not its own: people write names into paths."""
    return f"folder-{digest(str(folder), 8)}"


class Sources:
    """The sources of the settings, `uploads` among them, and those of `sources_file`, which is read again when it changes."""

    def __init__(self, settings: Settings) -> None:
        uploads = {UPLOADS: Source(path=settings.uploads)} if settings.uploads else {}
        self._fixed = {**uploads, **settings.sources}
        self._file = settings.sources_file
        self._stamp: tuple[int, int] | None = None
        self._more: dict[str, Source] = {}

    def all(self) -> dict[str, Source]:
        """Every source by name."""
        if self._file is not None:
            try:
                stat = self._file.stat()
            except FileNotFoundError:
                return self._fixed
            if (stat.st_mtime_ns, stat.st_ino) != self._stamp:
                self._more = {name: Source.model_validate(source) for name, source in json.loads(self._file.read_text()).items()}
                self._stamp = (stat.st_mtime_ns, stat.st_ino)
        return {**self._more, **self._fixed}

    def root(self, name: str) -> str:
        """The folder of a source. Raises Away where it is not configured here, not mounted, or without its marker file."""
        source = self.all().get(name)
        if source is None:
            raise Away(f"source '{name}' is not among this service's GYRUS_SOURCES ({', '.join(sorted(self.all())) or 'none'})")
        try:
            if not source.path.is_dir():
                raise Away(f"source '{name}' is not mounted: its folder is missing")
            if source.marker is not None and not (source.path / source.marker).exists():
                raise Away(f"source '{name}' is not mounted: its marker file '{source.marker}' is missing")
        except OSError as error:  # a mount that broke
            raise Away(f"source '{name}' does not answer: {error.strerror}") from error
        return str(source.path)

    def locate(self, name: str, path: str) -> str:
        """The file of a source as the operating system names it."""
        return self.locate_all(name, [path])[0]

    def locate_all(self, name: str, paths: Iterable[str]) -> list[str]:
        """The files of a source as the operating system names them."""
        root = self.root(name)
        return [os.path.join(root, from_text(path)) for path in paths]  # noqa: PTH118 - bytes that are no UTF-8 survive

    def place(self, folder: Path) -> tuple[str, str]:
        """The source that a folder lies in, and the folder's text path within it. Raises Misuse where it lies in none."""
        known, folder = self.all(), Path(os.path.normpath(folder))
        for name, source in sorted(known.items(), key=lambda item: -len(item[1].path.parts)):
            if folder.is_relative_to(source.path):
                relative = folder.relative_to(source.path).as_posix()
                return name, "" if relative == "." else to_text(relative)
        there = ", ".join(f"{name} = {source.path}" for name, source in sorted(known.items())) or "none"
        raise Misuse(f"{folder} lies in no source that the servers see. Sources: {there}. Name a folder below one of them.")

    @property
    def may_grow(self) -> bool:
        """Whether a folder can be made a source here."""
        return self._file is not None

    def add(self, folder: Path, name: str) -> None:
        """Make a folder a source, in `sources_file`. Raises Misuse where there is no such file to write."""
        if self._file is None:
            raise Misuse(f"{folder} lies in no source, and this installation takes its sources from GYRUS_SOURCES only: add it there.")
        more = json.loads(self._file.read_text()) if self._file.exists() else {}
        if more.setdefault(name, {"path": str(folder)})["path"] != str(folder):
            raise Misuse(f"there is a source '{name}' already, and it is another folder.")
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(more, indent=1))
        fresh.replace(self._file)
