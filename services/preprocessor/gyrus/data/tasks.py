"""One image of a cache: where it lies, what it is made of, and whether what lies there is that. Needs no SimpleITK."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gyrus.data.layout import MASK, METADATA, VERSION, endings
from gyrus.shared.documents import RECIPE

Document = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """One image to make."""

    study: str
    image: str
    mode: str
    source: Path
    folder: Path
    data_dir: Path


def is_current(task: Task) -> bool:
    """Whether the cache holds an image, made of its source as it is now and by our recipe."""
    said = whole(task.folder, task.image, task.mode)
    try:
        return said is not None and said.get("made_of") == made_of_now(task.source, task.mode)
    except OSError:
        return False


def whole(folder: Path, image: str, mode: str) -> Document | None:
    """What `_metadata.json` says of an image whose files are all there, in this layout; else None."""
    try:
        said: Document = json.loads((folder / f"{image}{METADATA}").read_text())
    except (OSError, ValueError):
        return None
    files = [folder / f"{image}{ending}.pt" for ending in (*endings(mode), MASK)]
    return said if said.get("version") == VERSION and all(path.is_file() for path in files) else None


def made_of_now(source: Path, mode: str) -> Document:
    """What an image of the cache is made of, as plain JSON. Raises FileNotFoundError."""
    return {"source": _stamp(source), "recipe": RECIPE, "mode": mode}


def _stamp(source: Path) -> list[Any]:
    """Size and mtime of a file, or of all files of a folder, as plain JSON. Raises FileNotFoundError."""
    if not source.is_dir():
        return [[source.name, source.stat().st_size, source.stat().st_mtime_ns]]
    found = sorted(Path(where, name) for where, _, names in os.walk(source) for name in names)
    return [len(found), sum(path.stat().st_size for path in found), max((path.stat().st_mtime_ns for path in found), default=0)]
