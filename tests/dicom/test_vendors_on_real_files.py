"""What makers write, read from files of real scanners. The files are public sets; LABELS.jsonl says what their series hold."""

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pydicom
import pytest

from dicom.conftest import ARCHIVES, RealDicom
from gyrus.dicom import Header, read
from gyrus.dicom.columns import unpacked
from gyrus.dicom.vendors import siemens_csa, siemens_phoenix

Fields = dict[str, Any]
DAY_MS = 86_400_000
CSA_NAMES = frozenset({"B_value", "DiffusionGradientDirection", "B_matrix", "BandwidthPerPixelPhaseEncode", "MosaicRefAcqTimes"})


@cache
def headers(folder: Path) -> tuple[tuple[Path, Fields], ...]:
    """Path and fields of every image of a set; a field that differs between the frames of an object is the list of their values."""
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        header = read(path)
        if isinstance(header, Header):
            known = header.shared | header.image
            columns = known.pop("frames", {"columns": {}})["columns"]
            found.append((path, known | {name: unpacked(column) for name, column in columns.items()}))
    return tuple(found)


def labels(archive: str) -> Iterator[dict[str, Any]]:
    lines = (ARCHIVES / "LABELS.jsonl").read_text(encoding="utf-8").splitlines()
    return (label for label in map(json.loads, lines) if label["archive"] == archive)


def series_of(folder: Path) -> dict[str, list[Fields]]:
    found: dict[str, list[Fields]] = defaultdict(list)
    for _, known in headers(folder):
        found[known["series_instance_uid"]].append(known)
    return found


def every(images: list[Fields], name: str) -> list[Any]:
    """The values of all images and frames."""
    count = {id(known): known.get("number_of_frames") or 1 for known in images}
    columns = [known.get(name) if isinstance(known.get(name), list) and known.get("enhanced") else None for known in images]
    return [
        value
        for known, column in zip(images, columns, strict=True)
        for value in (column if column and len(column) == count[id(known)] else [known.get(name)])
    ]


# ── diffusion ────────────────────────────────────────────────────────────────────────────────────────────────────────

SETS = [
    ("dcm_qa_decubitus", "siemens_private"),
    ("dcm_qa_sag", "siemens_private"),
    ("dcm_qa_xa30", None),
    ("dcm_qa_ge", "ge_private"),
    ("dcm_qa_philips", None),
    ("dcm_qa_canon", "canon_comment"),
    ("dcm_qa_toshiba", None),
    ("dcm_qa_uih", "uih_private"),
]


@pytest.mark.parametrize(("archive", "source"), SETS, ids=[archive for archive, _ in SETS])
def test_labelled_diffusion_has_its_b_values_and_unit_directions(real_dicom: RealDicom, archive: str, source: str | None) -> None:
    series = series_of(real_dicom(archive))
    labelled = [label for label in labels(archive) if label["b_values"]]

    assert labelled
    for label in labelled:
        images = series[label["series_uid"]]
        # United Imaging's labels are the actual b-values. Toshiba writes none at all into the images without diffusion.
        actual = every(images, "diffusion_b_value_actual")
        b_values = actual if any(value is not None for value in actual) else every(images, "diffusion_b_value")
        assert {round(value or 0) for value in b_values} == {round(value) for value in label["b_values"]}
        directions = [value for value in every(images, "diffusion_gradient_orientation") if value is not None]
        assert all(math.hypot(*direction) == pytest.approx(1, abs=0.02) for direction in directions)
        assert {known.get("diffusion_gradient_orientation_source") for known in images} <= {source, None}
        weighted = sum(value is not None and value > 20 for value in every(images, "diffusion_b_value"))
        is_derived = any("TRACEW" in (known.get("image_type") or []) for known in images)
        assert is_derived or len(directions) >= 0.9 * weighted, "a trace image has no direction, the others have one"


def test_directions_of_ge_and_of_old_canon_are_in_axes_of_the_image(real_dicom: RealDicom) -> None:
    for archive in ("dcm_qa_ge", "dcm_qa_canon"):
        frames = {known["diffusion_frame"] for _, known in headers(real_dicom(archive)) if known.get("diffusion_gradient_orientation")}
        assert frames == {"image"}


def test_ge_tells_the_images_without_diffusion_of_a_tensor_from_those_with_it(real_dicom: RealDicom) -> None:
    said = {
        (known["diffusion_b_value"], known["diffusion_directionality"])
        for _, known in headers(real_dicom("dcm_qa_ge"))
        if known.get("diffusion_directionality")
    }

    assert said == {(0, "NONE"), (1000, "DIRECTIONAL")}


def test_the_isotropic_images_of_philips_are_told_from_those_with_a_direction(real_dicom: RealDicom) -> None:
    kinds: dict[str, set[bool]] = defaultdict(set)
    for _, known in headers(real_dicom("dcm_qa_philips")):
        if known.get("diffusion_b_value", 0) > 20:
            kinds[known["diffusion_directionality"]].add("diffusion_gradient_orientation" in known)

    assert kinds == {"ISOTROPIC": {False}, "DIRECTIONAL": {True}}


# ── Siemens: two headers that must agree ─────────────────────────────────────────────────────────────────────────────

CLASSIC = ("dcm_qa_decubitus", "dcm_qa_sag", "dcm_qa_asl", "nibabel", "heudiconv")


def raw_elements(path: Path) -> Any:
    return pydicom.dcmread(path, stop_before_pixels=True, force=True)


def block_of(dataset: Any, group: int, creator: str, element: int) -> bytes:
    try:
        return bytes(dataset.private_block(group, creator)[element].value)
    except KeyError:
        return b""


@pytest.mark.parametrize("archive", CLASSIC)
def test_the_csa_header_agrees_with_the_private_header(real_dicom: RealDicom, archive: str) -> None:
    compared = 0
    for path, known in headers(real_dicom(archive)):
        dataset = raw_elements(path) if "SIEMENS" in (known.get("manufacturer") or "").upper() else {}
        csa = siemens_csa.csa_texts(block_of(dataset, 0x0029, "SIEMENS CSA HEADER", 0x10), CSA_NAMES) if dataset else {}
        pairs = {
            "diffusion_b_value": siemens_csa.csa_numbers(csa, "B_value"),
            "diffusion_gradient_orientation": siemens_csa.csa_numbers(csa, "DiffusionGradientDirection"),
            "diffusion_b_matrix": siemens_csa.csa_numbers(csa, "B_matrix"),
            "bandwidth_per_pixel_phase_encode": siemens_csa.csa_numbers(csa, "BandwidthPerPixelPhaseEncode"),
        }
        for name, numbers in pairs.items():
            if numbers and known.get(f"{name}_source") == "siemens_private":
                written = known[name] if isinstance(known[name], list) else [known[name]]
                assert written == pytest.approx(numbers, abs=1e-3), (path.name, name)
                compared += 1
        times = siemens_csa.csa_numbers(csa, "MosaicRefAcqTimes")
        if times and "slice_times" in known and max(times) < 1e6:
            assert known["slice_times"] == pytest.approx(times, abs=0.01)
            compared += 1

    assert compared > 0


def test_slice_times_over_midnight_keep_their_distances(real_dicom: RealDicom) -> None:
    repaired = 0
    for path, known in headers(real_dicom("dcm_qa")):
        written = raw_elements(path).get((0x0019, 0x1029)) if "slice_times" in known else None
        if written is None or max(written.value) < DAY_MS / 2:
            continue
        shift = known["slice_times"][0] - written.value[0]
        assert min(known["slice_times"]) == 0
        assert all(
            math.isclose((ours - theirs - shift + 1) % DAY_MS, 1, abs_tol=0.01)
            for ours, theirs in zip(known["slice_times"], written.value, strict=True)
        )
        repaired += 1

    assert repaired > 0


def test_slices_of_a_mosaic_are_timed_within_a_volume(real_dicom: RealDicom) -> None:
    mosaics = [known for archive in ("dcm_qa", "dcm_qa_stc") for _, known in headers(real_dicom(archive)) if "tile_count" in known]

    assert mosaics
    for known in mosaics:
        times = known.get("slice_times", [0.0])
        # The research sequence of release VB17 writes the times that the slices would have without being excited at once.
        longest = known["repetition_time"] * (2 if "fMRI_MB" in known["series_description"] else 1)
        assert 0 <= min(times) <= max(times) < longest


# ── mosaics ──────────────────────────────────────────────────────────────────────────────────────────────────────────

MOSAICS = ("dcm_qa", "dcm_qa_asl", "dcm_qa_decubitus", "dcm_qa_me", "dcm_qa_mosaic", "dcm_qa_nih", "dcm_qa_sag", "dcm_qa_stc")
CLOSE_MM = 0.01


def protocol_slices(protocol: bytes) -> list[list[float]]:
    """Centres of the slices in mm, patient axes, as the protocol asks for them."""
    count = siemens_phoenix.whole(protocol, "sSliceArray.lSize") or 0
    axes = ("dSag", "dCor", "dTra")
    return [
        [float(siemens_phoenix.entry(protocol, f"sSliceArray.asSlice[{n}].sPosition.{axis}") or 0) for axis in axes] for n in range(count)
    ]


def first_tile_centre(known: Fields) -> list[float]:
    grid = math.ceil(math.sqrt(known["tile_count"]))
    row, column = known["image_orientation_patient"][:3], known["image_orientation_patient"][3:]
    between_rows, between_columns = known["pixel_spacing"]
    right = between_columns * (known["columns"] - known["columns"] / grid) / 2 + between_columns * known["columns"] / grid / 2
    down = between_rows * (known["rows"] - known["rows"] / grid) / 2 + between_rows * known["rows"] / grid / 2
    return [p + right * r + down * c for p, r, c in zip(known["image_position_patient"], row, column, strict=True)]


@pytest.mark.parametrize("archive", MOSAICS)
def test_the_tiles_of_a_mosaic_run_along_its_normal_through_the_slices_of_the_protocol(real_dicom: RealDicom, archive: str) -> None:
    one_of_each = {known["series_instance_uid"]: (path, known) for path, known in headers(real_dicom(archive)) if "tile_normal" in known}

    assert one_of_each
    for path, known in one_of_each.values():
        block = block_of(raw_elements(path), 0x0029, "SIEMENS CSA HEADER", 0x20)
        slices = protocol_slices(siemens_phoenix.between_marks(block))
        step = [part * known["spacing_between_slices"] for part in known["tile_normal"]]
        centres = [
            [start + tile * along for start, along in zip(first_tile_centre(known), step, strict=True)]
            for tile in range(known["tile_count"])
        ]
        if len(slices) == known["tile_count"]:
            distances = [min(math.dist(centre, wanted) for wanted in slices) for centre in centres]
            assert max(distances) < CLOSE_MM, (path.name, max(distances))


def test_some_mosaics_run_against_the_cross_product_of_their_rows_and_columns(real_dicom: RealDicom) -> None:
    against = 0
    for archive in MOSAICS:
        seen = {known["series_instance_uid"]: known for _, known in headers(real_dicom(archive)) if "tile_normal" in known}
        for known in seen.values():
            (a, b, c), (x, y, z) = known["image_orientation_patient"][:3], known["image_orientation_patient"][3:]
            cross = (b * z - c * y, c * x - a * z, a * y - b * x)
            against += sum(p * q for p, q in zip(cross, known["tile_normal"], strict=True)) < 0

    assert against > 0


# ── acceleration, names, readout ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "archive", ["dcm_qa", "dcm_qa_ge", "dcm_qa_trt", "dcm_qa_uih", "dcm_qa_philips_asl", "dcm_qa_mosaic", "dcm_qa_asl"]
)
def test_acceleration_in_the_plane_and_of_slices_is_as_labelled(real_dicom: RealDicom, archive: str) -> None:
    series = series_of(real_dicom(archive))
    labelled = [label for label in labels(archive) if label["expected"] and label["acceleration_source"] == "dcm2niix"]

    for label in labelled:
        images = series[label["series_uid"]]
        factors = {
            "ParallelImaging": max(known.get("parallel_reduction_factor_in_plane", 1) for known in images),
            "SimultaneousMultiSlice": max(known.get("multiband_factor", 1) for known in images),
        }
        found = {word for word, factor in factors.items() if factor > 1}
        assert found == set(label["expected"]["acceleration"]) & set(factors), (label["description"], factors)


def test_a_multiband_factor_is_the_one_in_the_name_that_people_gave_the_series(real_dicom: RealDicom) -> None:
    compared = 0
    for archive in ("dcm_qa_ge", "dcm_qa_stc", "heudiconv"):
        for _, known in headers(real_dicom(archive)):
            if named := re.search(r"(?:HB|MB|mb)(\d)", known.get("series_description") or ""):
                assert known["multiband_factor"] == int(named[1]), known["series_description"]
                compared += 1

    assert compared > 10


def test_the_protocol_counts_as_many_slices_at_once_as_the_comment_of_the_image(real_dicom: RealDicom) -> None:
    compared = 0
    for path, known in headers(real_dicom("dcm_qa_stc")):
        if known.get("multiband_factor_source") == "image_comments":
            block = block_of(raw_elements(path), 0x0029, "SIEMENS CSA HEADER", 0x20)
            answers = siemens_phoenix.answers(siemens_phoenix.between_marks(block))
            assert answers["multiband_factor"][0] == known["multiband_factor"]
            compared += 1

    assert compared > 0


@pytest.mark.parametrize(("archive", "count"), [("dcm_qa_xa30", 20), ("dcm_qa_xa30i", 20)])
def test_both_forms_of_xa_have_their_words(real_dicom: RealDicom, archive: str, count: int) -> None:
    images = [known for _, known in headers(real_dicom(archive)) if "siemens_sequence_file" in known]

    assert len(images) >= count
    for known in images:
        assert known["siemens_image_comments"]
        assert known["coil_elements"] and known["acquisition_matrix_text"]
        if "cmrr_mbep2d" in known["siemens_sequence_file"]:
            assert known["multiband_factor"] == 3
            assert known["partial_fourier"] == "YES"
            assert (
                known["partial_fourier_fraction"]
                == {"cmrr_mbep2d_diff": 0.75, "cmrr_mbep2d_bold": 0.875}[known["siemens_sequence_file"].rpartition("\\")[2]]
            )
        if known["siemens_sequence_file"].endswith("tfl"):
            assert (known["inversion_time"], known["parallel_reduction_factor_in_plane"]) == (900, 2)


def test_the_polarity_of_xa_follows_the_way_that_the_series_is_named_for(real_dicom: RealDicom) -> None:
    said = {
        (named[1], known["phase_encoding_direction_positive"])
        for _, known in headers(real_dicom("dcm_qa_xa30"))
        if (named := re.search("_(AP|PA)", known.get("series_description") or "")) and "phase_encoding_direction_positive" in known
    }

    assert said == {("AP", 1), ("PA", 0)}


def test_moved_private_blocks_of_an_archive_are_found_by_their_creators(real_dicom: RealDicom) -> None:
    names = (
        "siemens_sequence_file",
        "coil_elements",
        "bandwidth_per_pixel_phase_encode",
        "phase_encoding_direction_positive",
        "slice_times",
    )
    by_uid: dict[str, list[Fields]] = defaultdict(list)
    for _, known in headers(real_dicom("dcm_qa_agfa")):
        by_uid[known["sop_instance_uid"]].append({name: known.get(name) for name in names})

    assert all(None not in known.values() for copies in by_uid.values() for known in copies)
    assert all(known == copies[0] for copies in by_uid.values() for known in copies)


def test_the_slices_of_united_imaging_are_timed_within_a_volume(real_dicom: RealDicom) -> None:
    grids = [known for _, known in headers(real_dicom("dcm_qa_uih")) if "tile_positions" in known]

    assert grids
    for known in grids:
        assert len(known["slice_times"]) == known["tile_count"]
        assert len(known["tile_positions"]) == 3 * known["tile_count"]
        assert min(known["slice_times"]) == 0
        assert max(known["slice_times"]) < known["repetition_time"]


def test_scale_slopes_of_philips_are_never_zero(real_dicom: RealDicom) -> None:
    slopes = [known["philips_scale_slope"] for _, known in headers(real_dicom("dcm_qa_philips")) if "philips_scale_slope" in known]

    assert slopes
    assert 0 not in slopes


def test_labelled_images_of_philips_are_controls_or_labels(real_dicom: RealDicom) -> None:
    words = {known.get("asl_context") for _, known in headers(real_dicom("dcm_qa_philips_asl"))}

    assert {"CONTROL", "LABEL"} <= words
