"""DICOM images of a head that knows up from down, in any orientation, written by one small factory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

Slices = list[tuple[str, int | None]]

AXIAL = (1, 0, 0, 0, 1, 0)
AXIAL_FROM_ABOVE = (-1, 0, 0, 0, 1, 0)
CORONAL = (1, 0, 0, 0, 0, -1)
SAGITTAL = (0, 1, 0, 0, 0, -1)
SAGITTAL_UPSIDE_DOWN = (0, -1, 0, 0, 0, 1)
PRONE = (-1, 0, 0, 0, -1, 0)
OBLIQUE = (0.96, 0, -0.28, 0, 1, 0)
ORIENTATIONS = (AXIAL, AXIAL_FROM_ABOVE, CORONAL, SAGITTAL, SAGITTAL_UPSIDE_DOWN, PRONE, OBLIQUE)

CROWN, LEFT_EAR, NOSE = 1500, 1200, 900
CLASSES = {"MR": "1.2.840.10008.5.1.4.1.1.4", "CT": "1.2.840.10008.5.1.4.1.1.2", "PT": "1.2.840.10008.5.1.4.1.1.128"}


@dataclass(frozen=True, kw_only=True)
class Stack:
    """What the scanner was told. Sizes are columns, rows, slices; spacings the same, in mm."""

    orientation: Sequence[float] = AXIAL
    size: tuple[int, int, int] = (48, 56, 24)
    spacing_mm: tuple[float, float, float] = (2.0, 2.0, 6.0)
    modality: str = "MR"
    slopes: Sequence[float] | None = None  # one a slice
    intercept: float | None = None
    left_out: Sequence[int] = ()
    shift_mm: float = 0.0  # sideways, from slice to slice
    extra: Mapping[str, Any] = field(default_factory=dict)  # elements of every image

    def axes(self) -> np.ndarray:
        row, column = np.array(self.orientation[:3], float), np.array(self.orientation[3:], float)
        return np.array([row, column, np.cross(row, column)])

    def positions(self) -> np.ndarray:
        """Of the first voxel of each slice, so that the middle of the volume is the middle of the head."""
        axes, spacing = self.axes(), np.array(self.spacing_mm)
        corner = -((np.array(self.size) - 1) / 2 * spacing) @ axes
        return np.array([corner + k * (spacing[2] * axes[2] + self.shift_mm * axes[1]) for k in range(self.size[2])])

    def pixels(self, k: int) -> np.ndarray:
        """(rows, columns) of stored numbers: the head where this slice cuts it."""
        columns, rows, _ = self.size
        axes, position = self.axes(), self.positions()[k]
        y, x = np.meshgrid(np.arange(rows) * self.spacing_mm[1], np.arange(columns) * self.spacing_mm[0], indexing="ij")
        return a_head(position + x[..., None] * axes[0] + y[..., None] * axes[1])


def a_head(points_mm: np.ndarray) -> np.ndarray:
    """Brightness at patient positions (LPS): an egg with a bright crown, left ear and nose, each another brightness."""

    def near(centre: tuple[float, float, float], radii: tuple[float, float, float]) -> np.ndarray:
        return (((points_mm - centre) / radii) ** 2).sum(-1) < 1

    x, y, z = np.moveaxis(np.rint(points_mm).astype(int), -1, 0)
    values = 20 + (x * 7 + y * 13 + z * 29) % 11
    values[near((0, 0, 0), (58, 70, 62))] = 500
    for centre, brightness in (((0, 0, 40), CROWN), ((38, 0, 0), LEFT_EAR), ((0, -48, 0), NOSE)):
        values[near(centre, (18, 18, 18))] = brightness
    return values


def write_stack(folder: Path, stack: Stack | None = None, **told: Any) -> Slices:
    """One file a slice; the names tell nothing about the order."""
    stack = stack or Stack(**told)
    folder.mkdir(parents=True, exist_ok=True)
    slices: Slices = []
    for k in sorted(set(range(stack.size[2])) - set(stack.left_out)):
        image = _image(stack.modality, f"1.2.3.{k + 1}")
        _describe_pixels(image, stack.pixels(k))
        image.ImagePositionPatient = [f"{value:.6f}" for value in stack.positions()[k]]
        image.ImageOrientationPatient = list(stack.orientation)
        image.PixelSpacing = [stack.spacing_mm[1], stack.spacing_mm[0]]
        if stack.slopes is not None or stack.intercept is not None:
            image.RescaleSlope = 1 if stack.slopes is None else stack.slopes[k]
            image.RescaleIntercept = stack.intercept or 0
        for keyword, value in stack.extra.items():
            setattr(image, keyword, value)
        path = folder / f"im{k * 7 % 97:03d}"
        image.save_as(path, enforce_file_format=True)
        slices.append((str(path), None))
    return slices


def write_run(folder: Path, b_values: Sequence[float], **told: Any) -> Slices:
    """A diffusion run: the same head as often as there are b-values (s/mm²), dimmer the larger they are."""
    slices: Slices = []
    for number, b_value in enumerate(b_values):
        for path, frame in write_stack(folder / f"{number:03}", **told):
            image = dcmread(path)
            image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = f"1.2.4.{number}.{image.SOPInstanceUID.rpartition('.')[2]}"
            image.InstanceNumber = number + 1
            image.AcquisitionNumber = number + 1
            image.DiffusionBValue = float(b_value)
            image.DiffusionGradientOrientation = [0.0, 0.0, 1.0]
            image.PixelData = (image.pixel_array * np.exp(-b_value / 2000)).astype("<u2").tobytes()
            image.save_as(path)
            slices.append((path, frame))
    return slices


def write_multi_frame(path: Path, stack: Stack, order: Sequence[int], slope: float = 1.0) -> None:
    """One enhanced MR object: its frames are the slices in the given order, their geometry in functional groups."""
    image = _image("MR", "1.2.3.999")
    image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4.1"
    _describe_pixels(image, np.stack([stack.pixels(k) for k in order]))
    image.NumberOfFrames = len(order)
    shared = Dataset()
    shared.PlaneOrientationSequence = [_item(ImageOrientationPatient=list(stack.orientation))]
    shared.PixelMeasuresSequence = [_item(PixelSpacing=[stack.spacing_mm[1], stack.spacing_mm[0]])]
    shared.PixelValueTransformationSequence = [_item(RescaleSlope=slope, RescaleIntercept=0, RescaleType="US")]
    image.SharedFunctionalGroupsSequence = [shared]
    places = [_item(ImagePositionPatient=[f"{value:.6f}" for value in stack.positions()[k]]) for k in order]
    image.PerFrameFunctionalGroupsSequence = [_item(PlanePositionSequence=[place]) for place in places]
    image.save_as(path, enforce_file_format=True)


def _item(**elements: Any) -> Dataset:
    item = Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return item


def _image(modality: str, sop_uid: str) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CLASSES[modality], sop_uid
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    image.SOPClassUID, image.SOPInstanceUID, image.Modality = CLASSES[modality], sop_uid, modality
    image.SeriesInstanceUID, image.StudyInstanceUID = "1.2.3", "1.2"
    return image


def _describe_pixels(image: FileDataset, pixels: np.ndarray) -> None:
    image.Rows, image.Columns = pixels.shape[-2:]
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 12, 11, 0
    image.PixelData = pixels.astype("<u2").tobytes()
