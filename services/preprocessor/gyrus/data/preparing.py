"""From an image to what the models take: loaded, put on the grid, toned."""

import logging
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gyrus.data.errors import told
from gyrus.data.grid import IN_PLANE_MM, RPI, SLICE_MM, cropped, on_grid, plan_of, reorientation, slices_first
from gyrus.data.images import from_image, is_image, read_source, to_image
from gyrus.data.intensity import SHOWN_PERCENTILES, Bytes, Tone, Toner, percentiles, tone_of
from gyrus.data.modes import mode_of
from gyrus.data.sources import ImageSource, source_of
from gyrus.data.straightening import rectilinear
from gyrus.data.tokens import PATCH, background_tokens, size_of, tokens_of
from gyrus.dicom.pixels import Refused, VolumeArray

log = logging.getLogger("gyrus.data")

MODALITY: Final = {"mri": "MR", "ct": "CT"}
SAMPLE: Final = 100_000  # voxels
FEWEST: Final = 3  # voxels along an axis: what is interpolated between two is no volume
Path = str | PathLike[str]


@dataclass(frozen=True, eq=False)
class Prepared:
    """A model-ready volume; D, H, W are the slices, rows and columns of its view."""

    mode: str  #: mri or ct
    view: int  #: 0 axial, 1 coronal, 2 sagittal
    spacing_mm: tuple[float, ...]  #: along x, y, z of the RPI axes, not permuted by the view
    values: NDArray[Any]  #: (D, H, W), on the grid, in the type of the source
    tone: Tone
    owner: object = None  #: whose memory the values look at, where it is not their own

    @property
    def shape(self) -> tuple[int, int, int]:
        slices, rows, columns = self.values.shape
        return slices, rows, columns

    @property
    def size(self) -> tuple[int, int, int]:
        """In tokens."""
        return size_of(self.shape)

    @cached_property
    def images(self) -> dict[str, Bytes]:
        """By window (D, H, W): CT brain, blood, bone; MRI one, named ""."""
        return {window: self._toner.to_bytes(shown) for window, shown in self.tone.ranges.items()}

    @property
    def tokens(self) -> dict[str, Bytes]:
        """The same in tokens, (N, 1024)."""
        toner = Toner(tokens_of(self.values))
        return {window: toner.to_bytes(shown) for window, shown in self.tone.ranges.items()}

    @property
    def fractions(self) -> dict[str, NDArray[np.float32]]:
        """The same in [0, 1), unquantised."""
        return {window: self._toner.fractions(shown) for window, shown in self.tone.ranges.items()}

    @property
    def background(self) -> Bytes:
        """(D, H, W), 1 = background."""
        return self._toner.background(self.tone)

    @property
    def filtered(self) -> Bytes:
        """(N,), 1 = a token with background in it."""
        return background_tokens(self.values, self.tone.background)

    @cached_property
    def _toner(self) -> Toner:
        return Toner(self.values)


def prepared(volume: VolumeArray, mode: str, z_dim: int | None = None) -> Prepared:
    """A volume, on the grid or not yet, as the models take it. Raises Refused.

    z_dim: the axis of the volume (0 x, 1 y, 2 z) that slices lie along, where the rule shall not decide.
    """
    if volume.modality and volume.modality != MODALITY[mode]:
        raise Refused("unsupported_modality", f"modality {volume.modality} does not go with mode {mode}")
    if mode == "ct" and not volume.hounsfield:
        raise Refused("no_hounsfield", "a slice lacks rescale slope or intercept, or rescales to another unit")
    check_worth(volume)
    if not is_on_grid(volume):
        volume, z_dim = gridded(volume, z_dim)
    spacing = volume.space.spacing_mm
    axis = z_dim if z_dim is not None else 2 if len(set(spacing)) == 1 else int(np.argmax(spacing))
    view = 2 - axis
    values = slices_first(volume.array, view)
    whole = [cropped(length, multiple) for length, multiple in zip(values.shape, PATCH, strict=True)]
    if not all(length for _, length in whole):
        raise Refused("too_small", f"{' x '.join(map(str, values.shape))} voxels, at least {' x '.join(map(str, PATCH))}")
    values = np.ascontiguousarray(values[tuple(slice(start, start + length) for start, length in whole)])
    made = Prepared(mode, view, spacing, values, tone_of(values, mode), volume.owner)
    if any(shown.lower == shown.upper for shown in made.tone.ranges.values()):
        _refuse_flat(volume, made.tone.ranges[""].lower)
        log.warning("An image shows nothing: nearly all voxels have the value %g", made.tone.ranges[""].lower)
    return made


def check_worth(volume: VolumeArray) -> None:
    """Refuse what would become a volume and is none: fewer than three voxels along an axis, or one value all over.

    Of MR, which is spread between its percentiles, all but 1 % of the voxels are enough for that. A file that does not say what it is may
    be made so on purpose, and is refused if all of it is 0.
    """
    size = volume.array.shape[::-1]
    if min(size) < FEWEST:
        reason = "single_image" if min(size) == 1 else "too_small"
        raise Refused(reason, f"{' x '.join(map(str, size))} voxels, at least {FEWEST} along each axis")
    if not _is_nearly_flat(volume.array):
        return
    is_mr = volume.modality == MODALITY["mri"]
    lowest, highest = percentiles(volume.array, SHOWN_PERCENTILES) if is_mr else (volume.array.min(), volume.array.max())
    if lowest == highest:
        _refuse_flat(volume, float(lowest))


def _is_nearly_flat(values: NDArray[Any]) -> bool:
    """Whether most voxels have one value, by some of them: only then all must be looked at."""
    some = values.reshape(-1)[:: max(1, values.size // SAMPLE)]
    lower, upper = np.percentile(some, (5, 95))
    return bool(lower == upper)


def _refuse_flat(volume: VolumeArray, value: float) -> None:
    if volume.modality or not volume.array.any():
        what = "99 % of the" if volume.modality == MODALITY["mri"] else "all"
        raise Refused("constant_image", f"{what} voxels have the value {value:g}")


def gridded(volume: VolumeArray, slice_axis: int | None = None) -> tuple[VolumeArray, int]:
    """A volume on the grid, in RPI axes, and the axis (0 x, 1 y, 2 z) that has 4 mm. Raises Refused."""
    volume = rectilinear(volume)
    if volume.array.dtype.kind == "f" and not np.isfinite(volume.array).all():
        raise Refused("not_finite", "a value is infinite or no number")
    plan = plan_of(volume.array.shape[::-1], volume.space, slice_axis)
    if volume.modality == "CT" and plan.beyond:
        log.warning("%d planes at the edges lie beyond the image; they are 0 HU, as in the models' pipeline", plan.beyond)
    array = on_grid(volume.array, plan)
    made = VolumeArray(array, plan.space(volume.space), volume.modality, volume.hounsfield, owner=volume.owner)
    return made, plan.slice_axis


def is_on_grid(volume: VolumeArray) -> bool:
    """Whether a volume has RPI axes, 4 mm along one of them and 1 mm along the others."""
    axes, flips = reorientation(volume.space.direction)
    steps = sorted(volume.space.spacing_mm)
    return axes == tuple(axis for axis, _ in RPI) and not any(flips) and np.allclose(steps, (IN_PLANE_MM, IN_PLANE_MM, SLICE_MM), atol=1e-6)


def load_image(path: Path | ImageSource | Any, preprocess: bool = True) -> Any:
    """Load an image: NIfTI (or what else ITK reads), one DICOM file, a folder of DICOM files, or a stack.

    preprocess: reorient to RPI, resample to 1 × 1 × 4 mm, crop to whole tokens; else the voxels as they are stored. Returns a SimpleITK
    image. A folder must hold one stack, and a stack one volume; else choose with `find_stacks` and `of_volume`. Raises
    FileNotFoundError, and ImageError with the file and what to do.
    """
    source = source_of(path)
    try:
        volume = read_source(source)
        if preprocess:
            check_worth(volume)
            volume, _ = gridded(volume)
        return to_image(rectilinear(volume), source.path)
    except Refused as refused:
        raise told(refused, source.path) from None


def prepare_for_inference(img_sitk: Any, mode: str, z_dim: int | None = None) -> tuple[list[Any], Any, int] | None:
    """What a model takes of an image: arrays, mask, view.

    img_sitk: as `load_image` gives it; one that is not on the grid yet, or what `load_image` takes, is put on it. mode: ct or mri.
    z_dim: the axis (0 x, 1 y, 2 z) along which its slices lie. Returns float32 tensors [1, D, H, W] in [0, 1] (brain, blood, bone for
    CT), a uint8 tensor [N], 1 = a token with background in it, and the view (0 axial, 1 coronal, 2 sagittal); None, and a warning, for
    an image smaller than one token. Raises ValueError for another mode or axis, ImageError for what cannot be prepared.
    """
    import torch  # noqa: PLC0415 - seconds

    mode = mode_of(mode)
    if z_dim not in {None, 0, 1, 2}:
        raise ValueError(f"z_dim is {z_dim!r}: 0 (x), 1 (y), 2 (z), or None for the rule")
    image = img_sitk if is_image(img_sitk) else load_image(img_sitk)
    volume = from_image(image)
    try:
        made = prepared(volume, mode, z_dim)
    except Refused as refused:
        if refused.reason != "too_small":
            raise told(refused, _source(image)) from None
        log.warning("An image is too small for the models: %s", refused.detail)
        return None
    arrays = [torch.from_numpy(one[None]) for one in made.fractions.values()]
    return arrays, torch.from_numpy(made.filtered), made.view


def _source(image: Any) -> str | None:
    return image.GetMetaData("gyrus.source") if image.HasMetaDataKey("gyrus.source") else None
