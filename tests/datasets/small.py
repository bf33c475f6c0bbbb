"""A data set of small images, each of another size, made by one factory; its images lie on the grid already."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK

from gyrus.data import CacheManager, DatasetMetadata

sitk: Any = SimpleITK
RPI = (-1, 0, 0, 0, 1, 0, 0, 0, -1)
Shape = tuple[int, int, int]
STUDIES: Mapping[str, Mapping[str, Shape]] = {
    "001": {"T1": (12, 48, 32), "T2": (8, 32, 48)},
    "002": {"T1": (16, 32, 32)},
    "003": {"head": (8, 48, 64)},
    "004": {"T1": (8, 32, 32), "T2": (8, 64, 32), "FLAIR": (4, 16, 16)},
    "1": {"T1": (12, 32, 32)},
}
MODES = {"001": "mri", "002": "mri", "003": "ct", "004": "mri", "1": "mri"}
N_IMAGES = 8


def voxels(shape: Shape, seed: int) -> np.ndarray:
    """A bright box in the dark, with noise; of a CT it is brain in air."""
    values = np.random.default_rng(seed).integers(-1000, -600, shape).astype(np.int16)
    inside = tuple(slice(0, max(1, 3 * length // 4)) for length in shape)
    values[inside] = np.random.default_rng(seed + 1).integers(0, 90, values[inside].shape)
    return values


def write_image(path: Path, shape: Shape, seed: int = 0) -> Path:
    image = sitk.GetImageFromArray(voxels(shape, seed))
    image.SetSpacing((1, 1, 4))
    image.SetDirection(RPI)
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path))
    return path


def write_data_set(folder: Path, studies: Mapping[str, Mapping[str, Shape]] = STUDIES, modes: Mapping[str, str] = MODES) -> Path:
    """raw/ and metadata.json."""
    for study, images in studies.items():
        for number, (image, shape) in enumerate(images.items()):
            write_image(folder / "raw" / study / f"{image}.nii", shape, seed=len(study) * 10 + number)
    DatasetMetadata.from_directory(folder, modes).save(folder / "metadata.json")
    return folder


def write_cached(folder: Path, studies: Mapping[str, Mapping[str, Shape]] = STUDIES, modes: Mapping[str, str] = MODES) -> Path:
    """And the cache."""
    write_data_set(folder, studies, modes)
    assert not CacheManager(folder).build_cache().failed
    return folder


def write_csv(path: Path, rows: Sequence[Sequence[object]], head: Sequence[str] = ("study_id", "label")) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    return path
