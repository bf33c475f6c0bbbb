"""Volumes from files, and to and from SimpleITK images."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK

from gyrus.data.errors import ImageError
from gyrus.data.sources import ImageSource
from gyrus.data.wholeness import is_nifti, is_whole
from gyrus.dicom.layouts import layout_of, read_layout
from gyrus.dicom.pixels import VolumeArray, volume_of
from gyrus.dicom.space import Space

sitk: Any = SimpleITK  # its wrappers bear no types

MODALITY, HOUNSFIELD, SOURCE = "gyrus.modality", "gyrus.hounsfield", "gyrus.source"  # keys in the metadata of an image


def read_source(source: ImageSource) -> VolumeArray:
    """The voxels of one source, as they are stored, in real units. Raises Refused, ImageError, OSError."""
    if source.is_dicom:
        layout = layout_of(source.images, source.uneven) if source.images else read_layout(source.slices, source.uneven)
        return volume_of(layout, source.volume)
    volume, path = from_image(_read(source)), Path(source.path)
    if is_nifti(path) and not is_whole(path, ends_in_zeros=not volume.array[-1].any()):
        raise ImageError("undecodable_pixels", "the file is damaged, or shorter than its header says", path)
    return volume


def to_image(volume: VolumeArray, source: str = "") -> Any:
    """The volume as a SimpleITK image."""
    image = sitk.GetImageFromArray(volume.array)
    image.SetOrigin(volume.space.origin_mm)
    image.SetSpacing(volume.space.spacing_mm)
    image.SetDirection(volume.space.direction)
    for key, text in ((MODALITY, volume.modality), (HOUNSFIELD, "yes" if volume.hounsfield else "no"), (SOURCE, source)):
        if text:
            image.SetMetaData(key, text)
    return image


def from_image(image: Any) -> VolumeArray:
    """A SimpleITK image as a volume; its voxels are looked at, not copied. Raises ImageError."""
    source = _told(image, SOURCE) or None
    _check(image.GetDimension(), image.GetNumberOfComponentsPerPixel(), source)
    if "complex" in image.GetPixelIDTypeAsString():
        raise ImageError("several_components", "complex numbers", source)
    voxels, hounsfield = sitk.GetArrayViewFromImage(image), _told(image, HOUNSFIELD) != "no"
    return VolumeArray(voxels, _space(image), _told(image, MODALITY), hounsfield, owner=image)


def is_image(what: Any) -> bool:
    """Whether something is a SimpleITK image."""
    return isinstance(what, SimpleITK.Image)


def _space(image: Any) -> Space:
    return Space(image.GetOrigin(), image.GetSpacing(), image.GetDirection())


def _told(image: Any, key: str) -> str:
    return str(image.GetMetaData(key)) if image.HasMetaDataKey(key) else ""


def _check(dimension: int, components: int, path: str | None) -> None:
    if components != 1:
        raise ImageError("several_components", f"{components} numbers a voxel", path)
    if dimension != 3:
        raise ImageError("several_volumes" if dimension > 3 else "single_image", f"{dimension} dimensions", path)


def _read(source: ImageSource) -> Any:
    """One 3-D image of a file that ITK knows."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(os.fspath(source.path))
    try:
        reader.ReadImageInformation()
        _choose(reader, source)
        image = reader.Execute()
    except RuntimeError as error:
        said = [line for line in str(error).strip().splitlines() if line][-1]
        raise ImageError("no_image", said.replace(source.path, "the file").strip()[:200], source.path) from None
    if image.GetSpacing() != tuple(map(abs, image.GetSpacing())) or not np.isfinite(image.GetDirection()).all():
        raise ImageError("no_geometry", f"spacing {image.GetSpacing()}, direction {image.GetDirection()}", source.path)
    return image


def _choose(reader: Any, source: ImageSource) -> None:
    """Read one volume only; a fourth dimension of length 1 is none."""
    size = reader.GetSize()
    n = int(np.prod(size[3:], dtype=np.int64)) if len(size) > 3 else 1
    _check(min(len(size), 3), reader.GetNumberOfComponents(), source.path)
    if source.volume is None and n > 1:
        raise ImageError("several_volumes", f"{n} volumes ({' x '.join(map(str, size))})", source.path)
    chosen = source.volume or 0
    if not -n <= chosen < n:
        raise ImageError("several_volumes", f"volume {chosen} is wanted of {n}, which count from 0", source.path)
    if len(size) > 3:
        index = np.unravel_index(chosen % n, size[3:], order="F")
        reader.SetExtractSize([*size[:3], *(0 for _ in size[3:])])
        reader.SetExtractIndex([0, 0, 0, *map(int, index)])
