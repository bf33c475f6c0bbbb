"""The grid and the arithmetic: equal to ITK's, crop and flips inside, nothing lost, nothing turned round."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gyrus.data.grid import on_grid, plan_of, reorientation
from gyrus.data.intensity import Range, percentiles
from gyrus.data.preparing import gridded
from gyrus.data.splines import weights_at
from gyrus.data.straightening import straightened
from gyrus.data.tokens import background_tokens, coordinates, tokens_of, volume_of
from gyrus.dicom.pixels import Refused, VolumeArray, read_volume
from gyrus.dicom.space import Space
from preprocessor.synthetic import Stack, write_stack

sitk: Any = SimpleITK
VECTORS = Path(__file__).resolve().parents[2] / "../shared/data/preprocessing_vectors"
SPACINGS = st.sampled_from([0.45, 0.7, 0.85, 1.0, 1.3, 2.5, 3.0, 4.3, 5.0])  # with 0.8, 2 or 4.4 mm a sample may lie on the very edge


@st.composite
def directions(draw: st.DrawFn) -> tuple[float, ...]:
    """Right-handed axes, oblique as they like."""
    q = np.array([draw(st.integers(-99, 99)) for _ in range(4)], float)
    assume(q.any())
    w, x, y, z = q / np.linalg.norm(q)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return tuple(float(one) for one in np.ravel(rows))


def an_image(array: np.ndarray, space: Space) -> Any:
    image = sitk.GetImageFromArray(array)
    image.SetOrigin(space.origin_mm), image.SetSpacing(space.spacing_mm), image.SetDirection(space.direction)
    return image


def by_itk(image: Any, plan: Any) -> np.ndarray:
    """The same steps in SimpleITK: orient, resample the whole grid, crop."""
    image = sitk.DICOMOrient(image, "RPI")
    steps = plan.spacing_mm
    full = [int(n * (s / t)) for n, s, t in zip(image.GetSize(), image.GetSpacing(), steps, strict=True)]
    made = sitk.Resample(image, full, sitk.Transform(), sitk.sitkBSpline, image.GetOrigin(), steps, image.GetDirection(), 0.0)
    x, y, z = (slice(ruler.start, ruler.start + ruler.size) for ruler in plan.rulers)
    return np.asarray(sitk.GetArrayFromImage(made)[z, y, x])


@settings(max_examples=25, deadline=None)
@given(
    size=st.tuples(*[st.integers(17, 40)] * 3),
    spacing=st.tuples(*[SPACINGS] * 3),
    direction=directions(),
    kind=st.sampled_from(["int16", "uint16", "uint8", "float32"]),
    seed=st.integers(0, 99),
)
def test_every_voxel_is_that_of_itk_but_for_its_unsteady_truncation(
    size: tuple[int, int, int], spacing: tuple[float, float, float], direction: tuple[float, ...], kind: str, seed: int
) -> None:
    array = (np.random.default_rng(seed).integers(0, 250, size[::-1]) - (90 if kind == "int16" else 0)).astype(kind)
    space = Space((-63.25, 41.5, -17.0), spacing, direction)
    try:
        plan = plan_of(size, space)
    except Refused:
        return

    ours, theirs = on_grid(array, plan), by_itk(an_image(array, space), plan)

    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    assert np.abs(ours.astype(float) - theirs.astype(float)).max() <= (1 if kind != "float32" else 1e-4)


@settings(max_examples=60, deadline=None)
@given(direction=directions())
def test_axes_are_chosen_and_turned_as_itk_does(direction: tuple[float, ...]) -> None:
    axes, flips = reorientation(direction)
    image = an_image(np.arange(24, dtype=np.int16).reshape(2, 3, 4), Space((0, 0, 0), (1, 1, 1), direction))

    turned = np.transpose(sitk.GetArrayFromImage(image), [2 - axis for axis in axes[::-1]])
    turned = np.flip(turned, [2 - axis for axis in range(3) if flips[axis]])

    assert np.array_equal(turned, sitk.GetArrayFromImage(sitk.DICOMOrient(image, "RPI")))


@settings(max_examples=40, deadline=None)
@given(size=st.tuples(*[st.integers(17, 60)] * 3), spacing=st.tuples(*[SPACINGS] * 3), direction=directions())
def test_the_grid_covers_the_image_but_for_less_than_a_token_and_never_more_than_a_voxel_beyond(
    size: tuple[int, int, int], spacing: tuple[float, float, float], direction: tuple[float, ...]
) -> None:
    space = Space((10.0, -20.0, 30.0), spacing, direction)
    try:
        plan = plan_of(size, space)
    except Refused:
        return

    made = plan.space(space)
    corners = np.array(np.meshgrid(*[(0, ruler.size - 1) for ruler in plan.rulers])).reshape(3, -1)
    points = np.array(made.origin_mm)[:, None] + made.matrix @ (corners * np.array(made.spacing_mm)[:, None])
    places = space.matrix.T @ (points - np.array(space.origin_mm)[:, None]) / np.array(spacing)[:, None]

    assert (places > -1).all() and (places < np.array(size)[:, None]).all()  # the last samples may lie beyond the last half voxel
    for ruler, patch in zip(plan.rulers, [4 if axis == plan.slice_axis else 16 for axis in range(3)], strict=True):
        assert 0 <= int(ruler.n * (ruler.spacing_mm / ruler.step_mm)) - ruler.size < patch


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 60), spacing=SPACINGS, step=st.sampled_from([1.0, 4.0]))
def test_weights_of_a_sample_inside_add_up_to_one_and_outside_to_nothing(n: int, spacing: float, step: float) -> None:
    places = np.arange(int(n * (spacing / step))) * step / spacing
    inside = (places >= -0.5) & (places < n - 0.5)

    assert np.allclose(weights_at(places, n, 0, n).sum(axis=1), inside, atol=1e-12)


def test_a_constant_volume_stays_constant() -> None:
    volume = VolumeArray(np.full((20, 64, 64), 117, np.int16), Space((0, 0, 0), (0.8, 0.8, 4.0), (1, 0, 0, 0, 1, 0, 0, 0, 1)), "", True)

    assert set(np.unique(gridded(volume)[0].array)) == {117}


@settings(max_examples=30, deadline=None)
@given(size=st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3)), seed=st.integers(0, 9))
def test_tokens_are_a_volume_in_another_order(size: tuple[int, int, int], seed: int) -> None:
    volume = np.random.default_rng(seed).integers(-9, 9, [n * p for n, p in zip(size, (4, 16, 16), strict=True)]).astype(np.int16)
    tokens = tokens_of(volume)

    assert np.array_equal(volume_of(tokens, size), volume)
    d, h, w = coordinates(size)[-1]
    assert np.array_equal(tokens[-1].reshape(4, 16, 16), volume[4 * d :, 16 * h :, 16 * w :])
    assert np.array_equal(background_tokens(volume, -8), (tokens <= -8).any(axis=1))


@settings(max_examples=50, deadline=None)
@given(
    values=st.lists(st.integers(-2000, 3000), min_size=2, max_size=60),
    lower=st.integers(-900, 900),
    width=st.integers(1, 3000),
)
def test_windows_never_turn_the_order_of_values_round(values: list[int], lower: int, width: int) -> None:
    shown = Range(lower, lower + width).fractions(np.sort(values))

    assert (np.diff(shown) >= 0).all() and shown.min() >= 0 and shown.max() < 1


@settings(max_examples=50, deadline=None)
@given(values=st.lists(st.integers(-30_000, 30_000), min_size=1, max_size=300), percent=st.floats(0, 100))
def test_percentiles_of_whole_numbers_are_those_of_numpy(values: list[int], percent: float) -> None:
    array = np.array(values, np.int16)

    assert percentiles(array, [percent]) == [pytest.approx(np.percentile(array.astype(float), percent), abs=1e-9)]


@pytest.mark.parametrize("degrees", [-18.5, 7.0, 25.0])
def test_a_tilted_head_is_straightened_not_sheared(tmp_path: Path, degrees: float) -> None:
    """Every slice of the tilted scan is a cut through the same head; straightened, it is the head that an untilted scan shows."""
    shift_mm = 4 * float(np.tan(np.radians(degrees)))
    told: dict[str, Any] = {"size": (80, 90, 30), "spacing_mm": (2.0, 2.0, 4.0)}
    tilted = straightened(read_volume(write_stack(tmp_path / "tilted", Stack(shift_mm=shift_mm, **told))))
    straight = Stack(**told)

    origin = np.array(tilted.space.origin_mm)
    y = (origin[1] - straight.positions()[0][1]) / 2
    before = round(float(-y))
    assert before >= 0 or degrees > 0
    assert tilted.shear_mm == (0, 0)
    shown = np.array([straight.pixels(k) for k in range(30)]).astype(float)
    rows = np.arange(max(0, -before), min(90, tilted.array.shape[1] - before))
    cut = tilted.array[:, rows + before].astype(float)
    inside = shown[:, rows] > 400
    assert np.median(np.abs(cut - shown[:, rows])[inside]) <= 2
    assert np.corrcoef(cut[inside], shown[:, rows][inside])[0, 1] > 0.9


@pytest.mark.skipif(not VECTORS.is_dir(), reason="the vectors of the reference pipeline are not here")
def test_the_vectors_of_the_reference_pipeline_pass(tmp_path: Path) -> None:
    command = [sys.executable, str(VECTORS / "check.py"), "--module", "gyrus.data", "--steps", "ABC", "--data", str(tmp_path)]
    checked = subprocess.run(command, check=False, capture_output=True, text=True)

    assert checked.returncode == 0, "\n".join(line for line in checked.stdout.splitlines() if " FAIL " in line) or checked.stderr[-2000:]
    assert " SKIP " not in checked.stdout
