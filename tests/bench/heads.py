"""Images of the sizes that are measured: a head with noise, as NIfTI or as a folder of DICOM files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK
from numpy.typing import NDArray

from preprocessor.synthetic import AXIAL, SAGITTAL, Stack, write_stack

sitk: Any = SimpleITK
SAGITTAL_AXES = (0, 0, 1, 1, 0, 0, 0, -1, 0)
AXIAL_AXES = (1, 0, 0, 0, 1, 0, 0, 0, 1)


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is measured. size: columns, rows, slices."""

    name: str
    mode: str
    size: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    sagittal: bool = False
    dicom: bool = False
    wanted: float  #: how many times as fast it shall be


CASES = (
    Case(name="T1 1 mm 256x256x176 sagittal, .nii.gz", mode="mri", size=(256, 256, 176), spacing_mm=(1, 1, 1), sagittal=True, wanted=12),
    Case(name="CT 512x512x40, 0.45x5 mm, .nii.gz", mode="ct", size=(512, 512, 40), spacing_mm=(0.45, 0.45, 5), wanted=4.5),
    Case(name="MRI 0.8 mm 320x320x208 axial, .nii.gz", mode="mri", size=(320, 320, 208), spacing_mm=(0.8, 0.8, 0.8), wanted=8),
    Case(name="MRI 0.8 mm 320x320x208 sagittal, .nii.gz", mode="mri", size=(320, 320, 208), spacing_mm=(0.8,) * 3, sagittal=True, wanted=8),
    Case(
        name="CT 140 files 512x512, 0.49x1.25 mm",
        mode="ct",
        size=(512, 512, 140),
        spacing_mm=(0.488281, 0.488281, 1.25),
        dicom=True,
        wanted=5,
    ),
    Case(
        name="T1 160 files 460x512, 0.5x1.00002 mm",
        mode="mri",
        size=(460, 512, 160),
        spacing_mm=(0.5, 0.5, 1.00002),
        sagittal=True,
        dicom=True,
        wanted=5,
    ),
)


def write(folder: Path, case: Case) -> Path:
    """The file or folder of a case."""
    if case.dicom:
        told: dict[str, Any] = {"modality": "CT", "intercept": -1024} if case.mode == "ct" else {}
        write_stack(folder, Noisy(orientation=SAGITTAL if case.sagittal else AXIAL, size=case.size, spacing_mm=case.spacing_mm, **told))
        return folder
    folder.mkdir()
    image = sitk.GetImageFromArray(np.stack([a_slice(case.size, k, case.mode) for k in range(case.size[2])]))
    image.SetSpacing(case.spacing_mm)
    image.SetDirection(SAGITTAL_AXES if case.sagittal else AXIAL_AXES)
    sitk.WriteImage(image, str(folder / "image.nii.gz"))
    return folder / "image.nii.gz"


class Noisy(Stack):
    """A stack whose slices are those of a head with noise."""

    def pixels(self, k: int) -> NDArray[np.int16]:
        shift = 1024 if self.modality == "CT" else 0
        return a_slice(self.size, k, "ct" if self.modality == "CT" else "mri") + np.int16(shift)


def a_slice(size: tuple[int, int, int], k: int, mode: str) -> NDArray[np.int16]:
    """(rows, columns) of slice k: an egg of tissue in a skull, with noise; air is -1000 in CT and almost 0 in MRI."""
    columns, rows, slices = size
    noise = np.random.default_rng(k).normal(0, 12, (rows, columns))
    z = (2 * k + 1 - slices) / slices
    y, x = np.meshgrid(np.linspace(-1, 1, rows), np.linspace(-1, 1, columns), indexing="ij")
    far = np.sqrt((x / 0.78) ** 2 + (y / 0.9) ** 2 + (z / 0.95) ** 2)
    tissue, skull, air = (35, 1100, -1000) if mode == "ct" else (480, 90, 0)
    texture = 40 * np.sin(9 * x + 4 * z) * np.cos(11 * y)
    values = np.where(far < 0.9, tissue + texture + noise, np.where(far < 1, skull + noise, air + np.abs(noise) / 4))
    return values.astype(np.int16)
