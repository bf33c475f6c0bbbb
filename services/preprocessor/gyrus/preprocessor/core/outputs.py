"""The files of one prepared volume, written so that a reader never meets half of one and an orphan can be attributed."""

import json
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from .intensity import WINDOWS_HU
from .prepare import Prepared
from .tensors import encoded, tensors
from .thumbnail import thumbnail

LAYOUT: Final = "1.0"

Point = Callable[[str], None]
POINTS: Final = ("outputs.begin", "outputs.metadata", "outputs.tensor", "outputs.end")
"""Where a test may kill the writer: before the first file, after the metadata, after each tensor, after the last file."""


def write_outputs(folder: Path, name: str, prepared: Prepared, about: Mapping[str, Any], point: Point | None = None) -> list[str]:
    """Write <name>_metadata.json, then the tensors, then <name>.png, into folder; returns their names, sorted.

    about: what the volume was made from (plain JSON values), kept in the metadata. Equal arguments give equal bytes. Raises ValueError
    for a name that is not a plain file name, OSError when storage fails (what is complete stays).
    """
    if not name or Path(name).name != name or name.startswith("."):
        raise ValueError(f"{name!r} is no plain file name")
    reach = point or (lambda _: None)
    folder.mkdir(parents=True, exist_ok=True)
    saved = tensors(prepared)
    metadata, picture = f"{name}_metadata.json", f"{name}.png"
    files = sorted([metadata, picture, *(f"{name}{ending}.pt" for ending in saved)])
    reach("outputs.begin")
    _write(folder / metadata, describe(prepared, about, files))
    reach("outputs.metadata")
    for ending, tensor in saved.items():
        _write(folder / f"{name}{ending}.pt", encoded(tensor))
        reach("outputs.tensor")
    _write(folder / picture, thumbnail(prepared))
    reach("outputs.end")
    return files


def describe(prepared: Prepared, about: Mapping[str, Any], files: list[str]) -> bytes:
    """The metadata file: what it was made from, what it is, which files belong to it. No clock."""
    described = {
        "about": dict(about),
        "files": files,
        "layout": LAYOUT,
        "mode": prepared.mode,
        "shape": prepared.shape,
        "source": {"size": prepared.source_size, "spacing_mm": prepared.source_spacing_mm, "type": prepared.source_type},
        "spacing": prepared.spacing_mm,
        "view": prepared.view,
    }
    if prepared.mode == "ct":
        described["windows"] = {name: {"width": width, "level": level} for name, (width, level) in WINDOWS_HU.items()}
    return json.dumps(described, indent=1, sort_keys=True).encode() + b"\n"


def _write(path: Path, content: bytes) -> None:
    """All or nothing. The passing name is nobody else's: two writers of one volume write the same bytes and do not meet."""
    passing = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        passing.write_bytes(content)
        passing.replace(path)
    finally:
        passing.unlink(missing_ok=True)
