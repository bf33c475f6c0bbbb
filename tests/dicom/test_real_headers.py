"""Claims about headers that real scanners wrote."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from dicom.conftest import ARCHIVES, RealDicom
from gyrus.dicom import Header, describe, kind_of, read

SMALL_SETS = ("dcm_qa_pdt2", "dcm_qa_enh", "nibabel", "heudiconv", "synthetic_broken", "wg04")
Stacks = dict[str, dict[str, list[dict[str, Any]]]]


def lines(name: str) -> list[dict[str, Any]]:
    if not (ARCHIVES / name).is_file():
        return []
    return [json.loads(line) for line in (ARCHIVES / name).read_text(encoding="utf-8").splitlines()]


def stacks_of(folder: Path) -> Stacks:
    """Series UID → stack key → images, each instance once."""
    found: Stacks = defaultdict(lambda: defaultdict(list))
    seen = set()
    for path in sorted(folder.rglob("*")):
        header = read(path)
        if isinstance(header, Header) and header.sop_instance_uid not in seen:
            seen.add(header.sop_instance_uid)
            block = {"sop": header.sop_instance_uid, "shared": header.shared, "image": header.image}
            for stack in header.stacks:
                found[header.series_instance_uid][stack["key"]].append(block | {"frames": stack["frames"], "n": stack["n"]})
    return found


@pytest.mark.parametrize("name", SMALL_SETS)
def test_images_are_read_and_everything_else_is_refused(real_dicom: RealDicom, name: str) -> None:
    home = real_dicom(name).parent
    entries = [entry for entry in lines("MANIFEST.jsonl") if entry["archive"] == name and entry["kind"] != "dicom-broken"]
    is_read = {entry["path"]: isinstance(read(home / entry["path"]), Header) for entry in entries}

    # Segmentations have pixels, but they are no image of a patient.
    expected = {entry["path"]: entry["kind"] == "dicom" and entry["modality"] != "SEG" for entry in entries}

    assert is_read == expected


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("empty.dcm", "empty_file"),
        ("text.dcm", "not_dicom"),
        ("volume.nii", "not_dicom"),
        ("image.dcm.gz", "compressed_container"),
        ("preamble_only.dcm", "corrupt_header"),
        ("cut_in_meta.dcm", "corrupt_header"),
        ("huge_length.dcm", "corrupt_header"),
        ("cut_in_header.dcm", "missing_pixel_data"),
        ("no_series_uid.dcm", "missing_uid"),
        ("empty_uids.dcm", "missing_uid"),
    ],
)
def test_each_kind_of_damage_has_its_reason(real_dicom: RealDicom, name: str, reason: str) -> None:
    answer = read(real_dicom("synthetic_broken") / name)

    assert not isinstance(answer, Header)
    assert answer.reason == reason


@pytest.mark.parametrize("name", ["cut_in_pixels.dcm", "cut_mosaic.dcm"])
def test_a_header_before_cut_pixels_is_whole(real_dicom: RealDicom, name: str) -> None:
    answer = read(real_dicom("synthetic_broken") / name)

    assert isinstance(answer, Header)
    assert answer.diagnostics["pixel_data_truncated"] == 1


def test_proton_density_and_t2_of_one_series_are_two_stacks(real_dicom: RealDicom) -> None:
    (stacks,) = stacks_of(real_dicom("dcm_qa_pdt2")).values()

    assert (len(stacks), kind_of(stacks)) == (2, "multi_echo")
    assert [describe(key, images)["completeness"]["verdict"] for key, images in stacks.items()] == ["complete", "complete"]


def test_stacks_and_volumes_of_enhanced_series_are_as_counted_by_others(real_dicom: RealDicom) -> None:
    found = stacks_of(real_dicom("dcm_qa_xa30"))
    labels = {label["series_uid"]: label for label in lines("LABELS.jsonl") if label["archive"] == "dcm_qa_xa30"}

    for series, label in labels.items():
        least, most = label["expected_stacks_range"]
        assert least <= len(found[series]) <= most, label["description"]
        volumes = {describe(key, images)["n_volumes"] for key, images in found[series].items()}
        assert label["n_volumes"] is None or label["n_volumes"] in volumes, label["description"]


def test_an_interrupted_run_keeps_its_whole_volumes_and_says_so(real_dicom: RealDicom) -> None:
    found = stacks_of(real_dicom("heudiconv"))
    described = [describe(key, images) for stacks in found.values() for key, images in stacks.items()]

    (cut,) = [one for one in described if one["completeness"]["verdict"] == "incomplete"]
    assert (cut["n_volumes"], cut["geometry"]["n_slices"], cut["geometry"]["n_extra"]) == (1, 34, 26)
    assert cut["completeness"]["words"] == ["Volume 2 lacks 8 of 34 slices: nothing lies at 6.0 mm, 14.0 mm, 22.0 mm and 5 more."]


def test_the_tilt_of_a_ct_gantry_and_its_two_thicknesses_are_seen(real_dicom: RealDicom) -> None:
    (stacks,) = stacks_of(real_dicom("dcm_qa_ct") / "In" / "GE").values()
    described = [describe(key, images) for key, images in stacks.items()]

    assert kind_of(stacks) == "multi_thickness"
    assert [one["geometry"]["shear_deg"] for one in described] == pytest.approx([18.5, 18.5], abs=0.1)
    said = ["The slices are shifted against each other by 18.5°, as by a tilted gantry; the scanner says 18.5°."]
    assert [one["completeness"]["words"] for one in described] == [said, said]


def test_the_dose_of_a_modulated_ct_is_a_range_and_makes_no_stacks(real_dicom: RealDicom) -> None:
    (stacks,) = stacks_of(real_dicom("dcm_qa_ct") / "In" / "Philips" / "S21570" / "S2020").values()
    [(key, images)] = stacks.items()
    doses = {(image["image"]["x_ray_tube_current"], image["image"]["exposure"]) for image in images}

    found = describe(key, images)

    assert (found["n_images"], len(doses)) == (140, 57)
    assert (found["ranges"]["x_ray_tube_current"], found["ranges"]["exposure"]) == ([54.0, 119.0], [69.0, 152.0])


def test_a_slice_that_somebody_lost_is_named(real_dicom: RealDicom) -> None:
    (stacks,) = stacks_of(real_dicom("dicom2nifti") / "tests" / "data" / "failing" / "sliceincrement" / "001").values()
    [(key, images)] = stacks.items()
    neighbours = sorted((image["sop"] for image in images), key=lambda sop: -int(sop[-9:]))

    found = describe(key, images)

    assert found["completeness"]["reasons"] == ["missing_slices"]
    [hole] = found["geometry"]["missing"]
    assert (hole["slice"], hole["n"], set(hole["between"]) <= set(neighbours)) == (4, 1, True)
    assert found["completeness"]["words"][0].startswith("Slice 4 of 5 is missing: nothing lies at 33.1 mm, between ")


@pytest.mark.parametrize(
    ("folder", "axis"),
    [
        ("In/Classic/202_SOURCE_-_pCASL", "asl_label"),
        ("In/Classic/301_ASL_MultiPhase", "cardiac_phase"),
    ],
)
def test_labels_and_phases_of_philips_run_along_the_volumes(real_dicom: RealDicom, folder: str, axis: str) -> None:
    (stacks,) = stacks_of(real_dicom("dcm_qa_philips_asl") / folder).values()

    assert {describe(key, images)["geometry"]["volumes_axis"] for key, images in stacks.items()} == {axis}


def test_trigger_times_of_a_whole_run_are_no_phases_of_the_heart(real_dicom: RealDicom) -> None:
    (stacks,) = stacks_of(real_dicom("dcm_qa_ge") / "In" / "SliceTimingMPh" / "2_fMRI_Multiphase_Des").values()
    [(key, images)] = stacks.items()

    assert describe(key, images)["geometry"]["volumes_axis"] == "time"


def test_the_beds_of_a_pet_show_in_its_frame_reference_times(real_dicom: RealDicom) -> None:
    (stacks,) = stacks_of(real_dicom("mirp") / "test" / "data" / "sts_images_raw" / "STS_001" / "FDG_PET").values()
    [(key, images)] = stacks.items()

    found = describe(key, images)

    assert (key, found["n_images"]) == ("PT|RECON=OSEM|AC=1|ORIENT=AX", 267)
    assert found["n_distinct"] == {"frame_reference_time": 6}
    assert found["ranges"]["frame_reference_time"] == [0.0, 1_215_000.0]


def test_one_mosaic_in_nine_encodings_says_the_same(real_dicom: RealDicom) -> None:
    headers = [answer for path in real_dicom("dcm_qa_ts").rglob("*.dcm") if isinstance(answer := read(path), Header)]
    encodings = {"transfer_syntax_uid", "series_number", "series_description", "protocol_name"}
    texts = {json.dumps({k: v for k, v in header.shared.items() if k not in encodings}, sort_keys=True) for header in headers}

    assert len(headers) == 9
    assert len({header.shared["transfer_syntax_uid"] for header in headers}) == 7
    assert {header.shared["tile_count"] for header in headers} == {35}
    assert len(texts) <= 2
