"""One image of a cache: where it lies, what it is made of, and whether what lies there is that. Needs no SimpleITK."""

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from gyrus.data.checksums import is_undamaged
from gyrus.data.layout import MASK, METADATA, VERSION, endings
from gyrus.data.storage import Address, Storage, place_of
from gyrus.shared.documents import RECIPE

Document = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """One image to make."""

    study: str
    image: str
    mode: str
    source: str  #: addresses: a path, or s3://…
    folder: str
    data_dir: str

    @property
    def storage(self) -> Storage:
        """Where the files of the image lie."""
        return Storage(self.folder)


def is_current(task: Task) -> bool:
    """Whether the cache holds an image, made of its source as it is now and by our recipe."""
    said = whole(task.folder, task.image, task.mode)
    try:
        return said is not None and said.get("made_of") == made_of_now(task.source, task.mode)
    except OSError:
        return False


def is_kept(task: Task) -> bool:
    """`is_current`, and every file is what its checksums say: reads them all."""
    return is_current(task) and all(_is_undamaged(task.storage, name) for name in _files(task.image, task.mode))


def _is_undamaged(storage: Storage, name: str) -> bool:
    with storage.open(name) as file:
        return is_undamaged(file)


def whole(folder: Address, image: str, mode: str) -> Document | None:
    """What `_metadata.json` says of an image whose files are all there, in this layout; else None."""
    storage = Storage(folder)
    try:
        said: Document = json.loads(storage.read(f"{image}{METADATA}"))
    except (OSError, ValueError):
        return None
    if not isinstance(said, dict) or said.get("version") != VERSION:
        return None
    written = said.get("bytes")  # of CacheManager's own; the service's names are never used twice
    sizes = written if isinstance(written, dict) else {}
    return said if all(_is_there(storage, name, sizes.get(name)) for name in _files(image, mode)) else None


def _files(image: str, mode: str) -> list[str]:
    return [f"{image}{ending}.pt" for ending in (*endings(mode), MASK)]


def _is_there(storage: Storage, name: str, size: int | None) -> bool:
    """Whether a file is there, and of the size that it was written with, where that is known."""
    if size is None:
        return storage.exists(name)
    with suppress(FileNotFoundError):
        return storage.size(name) == size
    return False


def made_of_now(source: Address, mode: str) -> Document:
    """What an image of the cache is made of, as plain JSON. Raises FileNotFoundError."""
    storage, name = place_of(source)
    return {"source": storage.stamp(name), "recipe": RECIPE, "mode": mode}
