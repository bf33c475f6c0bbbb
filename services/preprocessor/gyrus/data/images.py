"""Volumes from files, and to and from SimpleITK images."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK
from numpy.typing import NDArray

from gyrus.data.errors import ImageError
from gyrus.data.packed import Damaged, plain_voxels
from gyrus.data.sources import ImageSource
from gyrus.data.wholeness import added_to, inflates, is_finite, is_nifti, is_second, is_whole, odd_steps
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
    return _from_file(source)


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


def _from_file(source: ImageSource) -> VolumeArray:
    """One 3-D volume of a file that ITK knows."""
    path = Path(source.path)
    try:
        volume = _from_nifti(path, source) if is_nifti(path) else from_image(_executed(_reader(source), source))
        _check_space(volume.space, source.path)
    except Damaged:
        pass
    except ImageError:  # a header may say anything where its bytes were damaged
        if inflates(path):
            raise
    else:
        return volume
    raise ImageError("undecodable_pixels", "the file is damaged, or shorter than its header says", path)


def _from_nifti(path: Path, source: ImageSource) -> VolumeArray:
    """The voxels of a plain file we read ourselves. Raises Damaged, ImageError."""
    if is_second(path):
        raise ImageError("no_image", "NIfTI-2, which is not read; convert it to NIfTI-1", path)
    reader = _reader(source)
    if odd := odd_steps(path):
        raise ImageError("no_geometry", odd, path)
    voxels = plain_voxels(path, reader.GetSize()[::-1]) if len(reader.GetSize()) == 3 else None
    if voxels is not None:
        return VolumeArray(voxels, _space(reader), "", hounsfield=True)
    _check_stored(path, source.volume or 0)
    volume = from_image(_executed(reader, source))
    if added := added_to(path):
        return replace(volume, array=_without(volume.array, *added), owner=None)
    return volume


def _without(values: NDArray[Any], added: float, kind: np.dtype[Any]) -> NDArray[Any]:
    stored: NDArray[np.float64] = np.subtract(values, added, dtype=np.float64)
    return (stored.round() if kind.kind in "iu" else stored).astype(kind)


def _check_stored(path: Path, volume: int) -> None:
    """What ITK would fill up without a word. Raises Damaged, ImageError."""
    if not is_whole(path):
        raise Damaged
    if not is_finite(path, volume):
        raise ImageError("not_finite", "a value is infinite or no number", path)


def _reader(source: ImageSource) -> Any:
    """ITK's reader, set to one volume."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(os.fspath(source.path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise _unreadable(error, source) from None
    _choose(reader, source)
    return reader


def _executed(reader: Any, source: ImageSource) -> Any:
    try:
        return reader.Execute()
    except RuntimeError as error:
        raise _unreadable(error, source) from None


def _unreadable(error: RuntimeError, source: ImageSource) -> ImageError:
    said = [line for line in str(error).strip().splitlines() if line][-1]
    reason = "no_geometry" if "orthonormal" in said else "no_image"
    return ImageError(reason, said.replace(source.path, "the file").strip()[:200], source.path)


def _check_space(space: Space, path: str) -> None:
    if min(space.spacing_mm) < 0 or not np.isfinite(space.direction).all():
        raise ImageError("no_geometry", f"spacing {space.spacing_mm}, direction {space.direction}", path)


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
