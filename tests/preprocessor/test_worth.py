"""What becomes a volume and is none is refused by everybody: the service, load_image, the cache, and who prepares without it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK

from gyrus.data import CacheManager, DatasetMetadata, ImageError, load_image, prepare_for_inference
from gyrus.datasets import ImageDataset
from gyrus.dicom.refused import Refused
from gyrus.preprocessor.core.prepare import prepare
from preprocessor.synthetic import write_stack

sitk: Any = SimpleITK
BLANK = {"extra": {"PixelData": bytes(2 * 48 * 56)}}
OF_CT = {"modality": "CT", "intercept": -1024}


def file(folder: Path, size: tuple[int, int, int], value: int | None = None, spacing: tuple[float, ...] = (1.0, 1.0, 4.0)) -> None:
    """A NIfTI file of one value, or of noise. size: columns, rows, slices."""
    array = np.random.default_rng(1).integers(0, 900, size[::-1]) if value is None else np.full(size[::-1], value)
    image = sitk.GetImageFromArray(array.astype(np.int16))
    image.SetSpacing(spacing)
    sitk.WriteImage(image, str(folder / "raw/s/image.nii"))


REFUSED: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "a blanked MR series": ("mri", lambda folder: write_stack(folder / "raw/s/image", **BLANK), "constant_image"),
    "a blanked CT series": ("ct", lambda folder: write_stack(folder / "raw/s/image", **OF_CT, **BLANK), "constant_image"),
    "two slices far apart": (
        "mri",
        lambda folder: write_stack(folder / "raw/s/image", size=(48, 56, 2), spacing_mm=(2.0, 2.0, 12.0)),
        "too_small",
    ),
    "a file of two slices": ("mri", lambda folder: file(folder, (64, 64, 2), spacing=(1.0, 1.0, 12.0)), "too_small"),
    "a file of one thick slice": ("mri", lambda folder: file(folder, (64, 64, 1), spacing=(1.0, 1.0, 40.0)), "single_image"),
    "a file of zeros": ("mri", lambda folder: file(folder, (64, 64, 20), 0), "constant_image"),
    "a CT file of zeros": ("ct", lambda folder: file(folder, (64, 64, 20), 0), "constant_image"),
}


def source_in(folder: Path) -> Path:
    return next((folder / "raw/s").iterdir())


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_volume_is_refused_with_one_reason_whoever_is_asked(tmp_path: Path, what: str) -> None:
    mode, write, reason = REFUSED[what]
    (tmp_path / "raw/s").mkdir(parents=True)
    write(tmp_path)
    DatasetMetadata.from_directory(tmp_path, {"s": mode}).save(tmp_path / "metadata.json")

    [(_, _, why)] = CacheManager(tmp_path).build_cache().failed
    assert f"({reason})" in why
    for ask in (lambda: load_image(source_in(tmp_path)), lambda: ImageDataset(tmp_path, use_cache=False)[0]):
        with pytest.raises(ImageError) as caught:
            ask()
        assert caught.value.reason == reason
    if source_in(tmp_path).is_dir():
        with pytest.raises(Refused) as refused:
            prepare([(str(path), None) for path in source_in(tmp_path).iterdir()], mode)
        assert refused.value.reason == reason


def test_a_file_of_one_value_is_made_as_by_the_published_pipeline_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It may be a template or a mask; and nothing says that its voxels were never filled."""
    (tmp_path / "raw/s").mkdir(parents=True)
    file(tmp_path, (64, 64, 20), 117)

    made = prepare_for_inference(load_image(source_in(tmp_path)), "mri")

    assert made is not None and "shows nothing" in caplog.text
