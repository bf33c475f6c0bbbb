"""The files of one prepared volume, written so that a reader never meets half of one and an orphan can be attributed."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from gyrus.data.layout import METADATA, as_json, described, encoded, tensors, write_whole

from .prepare import Ready
from .thumbnail import thumbnail

Point = Callable[[str], None]
POINTS: Final = ("outputs.begin", "outputs.metadata", "outputs.tensor", "outputs.end")
"""Where a test may kill the writer: before the first file, after the metadata, after each tensor, after the last file."""


def write_outputs(folder: Path, name: str, ready: Ready, about: Mapping[str, Any], point: Point | None = None) -> list[str]:
    """Write <name>_metadata.json, then the tensors, then <name>.png, into folder; returns their names, sorted.

    about: what the volume was made from (plain JSON values), kept in the metadata. Equal arguments give equal bytes. Raises ValueError
    for a name that is not a plain file name, OSError when storage fails (what is complete stays).
    """
    if not name or Path(name).name != name or name.startswith("."):
        raise ValueError(f"{name!r} is no plain file name")
    reach = point or (lambda _: None)
    folder.mkdir(parents=True, exist_ok=True)
    saved = tensors(ready.prepared)
    metadata, picture = f"{name}{METADATA}", f"{name}.png"
    files = sorted([metadata, picture, *(f"{name}{ending}.pt" for ending in saved)])
    # no file and no clock: a path may bear a patient's name, and equal work gives equal bytes
    more = {"about": dict(about), "files": files, "source": dict(ready.source), "source_file": None, "processed_date": None}
    reach("outputs.begin")
    write_whole(folder / metadata, as_json(described(ready.prepared, more)))
    reach("outputs.metadata")
    for ending, tensor in saved.items():
        write_whole(folder / f"{name}{ending}.pt", encoded(tensor))
        reach("outputs.tensor")
    write_whole(folder / picture, thumbnail(ready.prepared))
    reach("outputs.end")
    return files
