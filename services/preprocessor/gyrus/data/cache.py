"""The cache of a data set: each image prepared once, read many times.

processed/<study>/ holds the files of `layout`; `<image>_metadata.json` is written last and says what they were made of, so that a cache
that is half written, or older than its source or our recipe, counts as not there.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gyrus.data.checksums import UNREADABLE, compare
from gyrus.data.errors import ImageError, told
from gyrus.data.images import read_source
from gyrus.data.intensity import WINDOWS_HU
from gyrus.data.layout import MASK, METADATA, as_json, described, encoded, endings, tensors
from gyrus.data.metadata import DatasetMetadata
from gyrus.data.preparing import prepared
from gyrus.data.sources import source_of
from gyrus.data.storage import Storage, path_of, place_of
from gyrus.data.tasks import Task, is_current, is_kept, made_of_now
from gyrus.data.tokens import volume_of
from gyrus.data.worker import in_workers
from gyrus.dicom.refused import Refused

log = logging.getLogger("gyrus.data")

Document = dict[str, Any]


@dataclass
class Built:
    """What came of building: how many images were made and kept, and why others failed, as (study, image, why)."""

    made: int = 0
    kept: int = 0
    failed: list[tuple[str, str, str]] = field(default_factory=list)


class CacheManager:
    """Builds and reads the cache of data_dir, which holds metadata.json and raw/. Raises FileNotFoundError without metadata.json."""

    def __init__(self, data_dir: str | PathLike[str]) -> None:
        self.storage = Storage(data_dir)
        self.data_dir: Path | str = Path(path_of(data_dir)) if self.storage.is_local else self.storage.address
        self.metadata_path = f"{self.data_dir}/metadata.json"
        if not self.storage.exists("metadata.json"):
            raise FileNotFoundError(f"{self.metadata_path} does not exist: DatasetMetadata.from_directory(…).save(…) writes it")
        self.metadata = DatasetMetadata.from_file(self.metadata_path)

    def build_cache(self, num_workers: int = 1, force: bool = False, study_names: Sequence[str] | None = None) -> Built:
        """Prepare what is not in the cache or damaged there, or all of it with force.

        Images that fail are named in the result and in the log. What is kept is read, to compare it with its checksums.
        num_workers: processes, each with one thread; 1 works in this one. Raises KeyError for a study that is not known.
        """
        built, tasks = Built(), []
        for task in self._tasks(study_names):
            if not force and is_kept(task):
                built.kept += 1
                self.metadata.mark_processed(task.study, task.image)
            else:
                tasks.append(task)
        for task, why in _run(tasks, num_workers):
            if why is None:
                built.made += 1
                self.metadata.mark_processed(task.study, task.image)
            else:
                built.failed.append((task.study, task.image, why))
                self.metadata.studies[task.study]["images"][task.image]["processed"] = False
                log.error("%s/%s is not in the cache: %s", task.study, task.image, why)
        self.metadata.save(self.metadata_path)
        return built

    def load_image(self, study: str, image: str, window: str | None = None) -> Any:
        """An image of the cache: a dict with data float32 [1, D, H, W] in [0, 1], mask uint8 [N] (1 = a token with background in it), view,
        shape, spacing, size, mode, window. CT without a window: a list of three, brain, blood, bone.

        Raises KeyError for an image or window that is not known, FileNotFoundError for one that is not in the cache,
        OSError for one that is damaged.
        """
        task = self._task(study, image)
        if not is_current(task):
            raise FileNotFoundError(f"{study}/{image} is not in the cache, or was made of something else: build_cache() makes it")
        if window is not None and f"_{window}" not in endings(task.mode):
            raise KeyError(f"{study}/{image} ({task.mode}) has no window {window!r}: CT has {', '.join(WINDOWS_HU)}, MRI none")
        wanted = endings(task.mode) if window is None else [f"_{window}"]
        loaded = [_volume(task, f"{image}{ending}.pt") for ending in wanted]
        return loaded if len(loaded) > 1 else loaded[0]

    def load_mask(self, study: str, image: str) -> Any:
        """The background of an image voxel by voxel: uint8 [1, D, H, W], 1 = background."""
        return _loaded(self._task(study, image).storage, f"{image}{MASK}.pt")[None]

    def get_cache_stats(self) -> Document:
        """total_studies, total_images, cached_images, cache_coverage (0 to 1)."""
        tasks = list(self._tasks(None))
        cached = sum(is_current(task) for task in tasks)
        coverage = cached / len(tasks) if tasks else 0.0
        return {"total_studies": len(self.metadata), "total_images": len(tasks), "cached_images": cached, "cache_coverage": coverage}

    def _tasks(self, names: Sequence[str] | None) -> Iterator[Task]:
        for study in self.metadata.get_all_studies() if names is None else names:
            if study not in self.metadata.studies:
                raise KeyError(f"there is no study {study!r} in {self.metadata_path}")
            for image in self.metadata.studies[study]["images"]:
                yield self._task(study, image)

    def _task(self, study: str, image: str) -> Task:
        said = self.metadata.get_study(study)
        if said is None or image not in said["images"]:
            raise KeyError(f"there is no image {study}/{image} in {self.metadata_path}")
        root = self.storage.address
        source = f"{root}/raw/{study}/{said['images'][image]['filename']}"
        return Task(study, image, said["mode"], source, f"{root}/processed/{study}", root)


def _run(tasks: Sequence[Task], workers: int) -> Iterator[tuple[Task, str | None]]:
    if workers <= 1 or len(tasks) < 2:
        yield from ((task, make(task)) for task in tasks)
        return
    yield from zip(tasks, in_workers(tasks, min(workers, len(tasks))), strict=True)


def make(task: Task) -> str | None:
    """Make the files of one image; why it could not be."""
    try:
        _write(task)
    except (ImageError, OSError) as error:
        return str(error)
    except ModuleNotFoundError as error:  # a decoder, of which the next image may need none
        return f"{task.source}: {error}"
    return None


def _write(task: Task) -> None:
    made_of = made_of_now(task.source, task.mode)  # before it is read: a source that changes meanwhile makes the cache old
    place, name = place_of(task.source)
    with place.local(name) as path:
        source = source_of(path)
        try:
            made = prepared(read_source(source), task.mode)
        except Refused as refused:
            raise told(refused, source.path) from None
        more = {
            "source_file": task.source.removeprefix(f"{task.data_dir}/"),
            "processed_date": datetime.now(UTC).isoformat(),
            "made_of": made_of,
        }
        storage = task.storage
        storage.delete([f"{task.image}{METADATA}"])
        sizes = {}
        for ending, saved in tensors(made).items():
            name, content = f"{task.image}{ending}.pt", encoded(saved)
            storage.write(name, content)
            sizes[name] = len(content)
        storage.write(f"{task.image}{METADATA}", as_json(described(made, {**more, "bytes": sizes})))


def _volume(task: Task, name: str) -> Document:
    """One image file, as people use it."""
    saved: Document = _loaded(task.storage, name)
    volume = volume_of(saved.pop("data").numpy(), saved["size"])
    data = torch.from_numpy(np.ascontiguousarray(volume)).to(torch.float32).div_(255)[None]
    return {"data": data, "mask": saved.pop("filtered"), **saved}


def _loaded(storage: Storage, name: str) -> Any:
    with storage.open(name) as file:
        try:
            compare(file)
            return torch.load(file, weights_only=True)
        except UNREADABLE as error:
            where = f"{storage.address}/{name}"
            raise OSError(f"{where} is damaged ({type(error).__name__}): delete it, and build_cache() makes it again") from None
