"""The files of one stack, written so that a reader never meets half of one and an orphan can be attributed.

`<name>_metadata.json` names the files of an image and comes before them. A stack of one volume is one image, `<name>`; of a run each volume
is an image of its own, `<name>_v012`, and `<name>` has the pictures and the list.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from gyrus.data.layout import METADATA, as_json, described, encoded, tensors
from gyrus.data.storage import Storage

from .make import Request
from .pictures import Pictures, pictures_of
from .prepare import Ready

Point = Callable[[str], None]
Content = Callable[[], bytes]
POINTS: Final = ("outputs.begin", "outputs.metadata", "outputs.tensor", "outputs.end")
"""Where a test may kill the writer: before the first file, after the metadata, after each other file, after the last file."""


class Writer:
    """Writes the outputs of one stack. Raises ValueError for a name that is not a plain file name, OSError when storage fails."""

    def __init__(self, request: Request, point: Point | None = None) -> None:
        if not request.name or Path(request.name).name != request.name or request.name.startswith("."):
            raise ValueError(f"{request.name!r} is no plain file name")
        self.name, self.about, self.reach = request.name, dict(request.about), point or (lambda _: None)
        self.storage = Storage(request.folder)
        self.outputs: list[str] = []
        self.volumes: list[dict[str, Any]] = []

    def write(self, ready: Ready, index: int | None) -> None:
        """The files of one volume; index: of a run. Equal arguments give equal bytes."""
        image = self.name if index is None else f"{self.name}_v{index:03}"
        files: dict[str, Content] = {f"{image}{ending}.pt": _later(tensor) for ending, tensor in tensors(ready.prepared).items()}
        if index is None:
            files |= self._named(pictures_of(ready.prepared))
        # no file and no clock: a path may bear a patient's name, and equal work gives equal bytes
        more = {"source": dict(ready.source), "source_file": None, "processed_date": None}
        self._write(image, described(ready.prepared, more), files)
        told = {name: ready.source[name] for name in ("b_value",) if name in ready.source}
        self.volumes.append({"image": image, "index": index or 0, **told})

    def write_pictures(self, pictures: Pictures, more: Mapping[str, Any]) -> None:
        """Pictures without a volume, or of a run; more: what is said of them."""
        if pictures:
            self._write(self.name, more, self._named(pictures))

    def take_back(self) -> None:
        """Remove what was written: a volume of the run is refused, and so is the stack."""
        self.storage.delete(sorted(self.outputs, key=lambda name: name.endswith(METADATA)))
        self.outputs, self.volumes = [], []

    def _named(self, pictures: Pictures) -> dict[str, Content]:
        return {f"{self.name}{ending}.png": lambda png=png: png for ending, png in pictures.items()}  # type: ignore[misc]

    def _write(self, image: str, said: Mapping[str, Any], files: Mapping[str, Content]) -> None:
        metadata = f"{image}{METADATA}"
        names = sorted([metadata, *files])
        self.reach("outputs.begin")
        self.storage.write(metadata, as_json({**said, "about": self.about, "files": names}))
        self.outputs.append(metadata)
        self.reach("outputs.metadata")
        for name, content in files.items():
            self.storage.write(name, content())
            self.outputs.append(name)
            self.reach("outputs.tensor")
        self.reach("outputs.end")


def _later(tensor: Any) -> Content:
    return lambda: encoded(tensor)
