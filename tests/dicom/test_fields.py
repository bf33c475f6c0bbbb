"""What the table of fields promises: names, places, levels, sources – and the fields that the seed names."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydicom.datadict import dictionary_has_tag, dictionary_VM, dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from dicom.conftest import RealDicom
from dicom.headers import a_dataset, a_file
from gyrus.dicom import Header, read
from gyrus.dicom.field import Field, Table, snake
from gyrus.dicom.fields import STANDARD

PAGES_OWN_NAMES = {"patient_age_years", "ctdi_vol", "dbdt", "charset", "cardiac_trigger_delay", "velocity_encoding"}
A_FRAME, A_SHARED, AT_TOP = "PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence", ""


def said(folder: Path, dataset: Dataset) -> Header:
    header = read(a_file(folder, dataset))
    assert isinstance(header, Header), header
    return header


def of(header: Header, name: str) -> Any:
    """A field, wherever the header has it."""
    return {**header.shared, **header.image}.get(name)


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_keyword_is_the_standards_name_of_its_tag() -> None:
    tagged = [field for field in STANDARD.fields if field.tag]

    assert {field.name: field.keyword for field in tagged} == {field.name: keyword_for_tag(field.tag) for field in tagged}


def test_names_are_keywords_in_small_letters() -> None:
    wrong = {field.name for field in STANDARD.fields if field.keyword and snake(field.keyword) != field.name}

    assert wrong == PAGES_OWN_NAMES


def test_no_tag_and_no_name_is_listed_twice_and_none_is_that_of_a_source() -> None:
    names, tags = [field.name for field in STANDARD.fields], [field.tag for field in STANDARD.fields if field.tag]

    assert (len(set(names)), len(set(tags))) == (len(names), len(tags))
    assert not {f"{name}_source" for name in names} & set(names)
    with pytest.raises(ValueError, match="twice"):
        Table([*STANDARD.fields, STANDARD.fields[0]])


def test_every_step_of_a_nested_path_is_in_the_standard() -> None:
    paths = [(*path, *field.joined) for field in STANDARD.fields for path in field.nested]

    assert all(dictionary_has_tag(tag) for path in paths for tag in path)


def test_the_version_of_the_table_is_sixteen_digits() -> None:
    assert re.fullmatch("[0-9a-f]{16}", STANDARD.version)


# ── the fields that the seed names ───────────────────────────────────────────────────────────────────────────────────

SEED = [
    ("study", "study_instance_uid", "StudyInstanceUID", "1.2", "1.2"),
    ("study", "study_date", "StudyDate", "20200131", "2020-01-31"),
    ("study", "study_time", "StudyTime", "101530.25", "10:15:30.25"),
    ("study", "study_description", "StudyDescription", "Head", "Head"),
    ("series", "modality", "Modality", "MR", "MR"),
    ("series", "manufacturer", "Manufacturer", "ACME", "ACME"),
    ("series", "manufacturer_model_name", "ManufacturerModelName", "One", "One"),
    ("series", "station_name", "StationName", "MR1", "MR1"),
    ("series", "institution_name", "InstitutionName", "Here", "Here"),
    ("series", "series_instance_uid", "SeriesInstanceUID", "1.2.3", "1.2.3"),
    ("series", "series_description", "SeriesDescription", "t1", "t1"),
    ("series", "protocol_name", "ProtocolName", "brain", "brain"),
    ("image", "sequence_name", "SequenceName", "*tfl3d1", "*tfl3d1"),
    ("series", "body_part_examined", "BodyPartExamined", "BRAIN", "BRAIN"),
    ("acquisition", "scanning_sequence", "ScanningSequence", ["GR", "IR"], ["GR", "IR"]),
    ("acquisition", "sequence_variant", "SequenceVariant", ["SK", "SP"], ["SK", "SP"]),
    ("acquisition", "scan_options", "ScanOptions", ["IR", "WE"], ["IR", "WE"]),
    ("acquisition", "repetition_time", "RepetitionTime", "2300", 2300.0),
    ("acquisition", "echo_time", "EchoTime", "2.98", 2.98),
    ("acquisition", "inversion_time", "InversionTime", "900", 900.0),
    ("acquisition", "flip_angle", "FlipAngle", "9", 9.0),
    ("acquisition", "echo_train_length", "EchoTrainLength", "1", 1),
    ("acquisition", "mr_acquisition_type", "MRAcquisitionType", "3D", "3D"),
    ("image", "diffusion_b_value", "DiffusionBValue", 1000.0, 1000.0),
    ("acquisition", "parallel_acquisition_technique", "ParallelAcquisitionTechnique", "GRAPPA", "GRAPPA"),
    ("acquisition", "kvp", "KVP", "120", 120.0),
    ("image", "exposure_time", "ExposureTime", "500", 500.0),
    ("image", "x_ray_tube_current", "XRayTubeCurrent", "200", 200.0),
    ("acquisition", "convolution_kernel", "ConvolutionKernel", ["Hr38", "3"], ["Hr38", "3"]),
    ("acquisition", "spiral_pitch_factor", "SpiralPitchFactor", 0.55, 0.55),
    ("image", "ctdi_vol", "CTDIvol", 41.5, 41.5),
    ("acquisition", "reconstruction_method", "ReconstructionMethod", "OSEM", "OSEM"),
    ("acquisition", "attenuation_correction_method", "AttenuationCorrectionMethod", "CT", "CT"),
    ("acquisition", "suv_type", "SUVType", "BW", "BW"),
]
SEEDS_TRACER = [
    ("radiopharmaceutical", "Radiopharmaceutical", "FDG", "FDG"),
    ("radionuclide_total_dose", "RadionuclideTotalDose", "370000000", 370e6),
    ("radionuclide_half_life", "RadionuclideHalfLife", "6586.2", 6586.2),
]


@pytest.mark.parametrize(("level", "name", "keyword", "written", "expected"), SEED, ids=[row[1] for row in SEED])
def test_each_row_of_the_seeds_tables_is_read_typed_and_at_its_level(
    tmp_path: Path, level: str, name: str, keyword: str, written: Any, expected: Any
) -> None:
    header = said(tmp_path, a_dataset(**{keyword: written}))

    assert (STANDARD.by_name[name].level, STANDARD.by_name[name].tag) == (level, tag_for_keyword(keyword))
    assert (header.image if level == "image" else header.shared)[name] == expected
    assert type(of(header, name)) is type(expected)
    assert of(header, f"{name}_source") is None


@pytest.mark.parametrize(("name", "keyword", "written", "expected"), SEEDS_TRACER, ids=[row[0] for row in SEEDS_TRACER])
def test_the_tracer_is_read_inside_its_sequence_and_at_the_top_level_only_where_that_is_silent(
    tmp_path: Path, name: str, keyword: str, written: str, expected: Any
) -> None:
    item, silent = Dataset(), Dataset()
    setattr(item, keyword, written)
    inside = a_dataset(Modality="PT", RadiopharmaceuticalInformationSequence=Sequence([item]))
    outside = a_dataset(Modality="PT", RadiopharmaceuticalInformationSequence=Sequence([silent]), **{keyword: written})
    both = a_dataset(Modality="PT", RadiopharmaceuticalInformationSequence=Sequence([item]), **{keyword: "5"})

    headers = [said(tmp_path, dataset) for dataset in (inside, outside, both)]

    assert [header.shared[name] for header in headers] == [expected] * 3
    assert [header.shared.get(f"{name}_source") for header in headers] == [None, "top_level", None]


def test_a_dose_in_megabecquerel_is_kept_and_flagged(tmp_path: Path) -> None:
    item = Dataset()
    item.RadionuclideTotalDose = "370"

    header = said(tmp_path, a_dataset(Modality="PT", RadiopharmaceuticalInformationSequence=Sequence([item])))

    assert (header.shared["radionuclide_total_dose"], header.diagnostics) == (370.0, {"value_suspect:radionuclide_total_dose": 1})


# ── nested places ────────────────────────────────────────────────────────────────────────────────────────────────────

PATHS = [(field, path) for field in STANDARD.fields for path in field.nested]
BY_VR = {"FD": 2.5, "FL": 2.5, "DS": "2.5", "IS": "3", "US": 3, "UL": 3, "DA": "20200131", "TM": "101530", "DT": "20200131101530"}
BY_KIND = {"date": "2020-01-31", "time": "10:15:30", "date_time": "2020-01-31T10:15:30"}


def an_item(path: tuple[int, ...], joined: tuple[int, ...]) -> Dataset:
    """A data set with values at the end of a path of sequences."""
    item = Dataset()
    first, *rest = path
    if not rest and not joined:
        vr = dictionary_VR(first)
        value = BY_VR.get(vr, "WORD")
        item.add_new(first, vr, value if dictionary_VM(first) == "1" else [value] * (6 if first == 0x00200037 else 2))
    elif not rest:
        inner = Dataset()
        for tag in joined:
            inner.update(an_item((tag,), ()))
        item.add_new(first, "SQ", Sequence([inner]))
    else:
        item.add_new(first, "SQ", Sequence([an_item(tuple(rest), joined)]))
    return item


def expected_of(field: Field, path: tuple[int, ...]) -> Any:
    written = [an_item(path[-1:], ())[path[-1]].value] if not field.joined else [2.5] * len(field.joined)
    parts = [part for value in written for part in (value if isinstance(value, list | tuple) or hasattr(value, "append") else [value])]
    match field.kind:
        case "numbers":
            return [float(part) for part in parts]
        case "texts":
            return [str(part) for part in parts]
        case "number":
            return float(parts[0])
        case "integer":
            return int(parts[0])
        case kind:
            return BY_KIND.get(kind, str(parts[0]))


@pytest.mark.parametrize("place", [A_SHARED, A_FRAME])
@pytest.mark.parametrize(("field", "path"), PATHS, ids=[f"{field.name}-{path[0]:08x}" for field, path in PATHS])
def test_each_nested_place_of_the_table_is_read_in_an_enhanced_object(
    tmp_path: Path, field: Field, path: tuple[int, ...], place: str
) -> None:
    groups = {A_SHARED: Dataset(), A_FRAME: Dataset()}
    groups[place] = an_item(path, field.joined)
    dataset = a_dataset(EchoTime=None, ImageType=None, NumberOfFrames=1, **{name: Sequence([item]) for name, item in groups.items()})

    header = said(tmp_path, dataset)

    assert of(header, field.name) == expected_of(field, path)
    assert of(header, f"{field.name}_source") is None


@pytest.mark.parametrize(("field", "path"), PATHS, ids=[f"{field.name}-{path[0]:08x}" for field, path in PATHS])
def test_each_nested_place_of_the_table_is_read_at_the_top_level(tmp_path: Path, field: Field, path: tuple[int, ...]) -> None:
    dataset = a_dataset(EchoTime=None, ImageType=None)
    dataset.update(an_item(path, field.joined))

    assert of(said(tmp_path, dataset), field.name) == expected_of(field, path)


# ── what counts as empty ─────────────────────────────────────────────────────────────────────────────────────────────

NOT_SET = [field for field in STANDARD.fields if field.empty and field.tag]


@pytest.mark.parametrize("field", NOT_SET, ids=[field.name for field in NOT_SET])
def test_a_value_that_means_not_set_is_no_value_and_hides_none(tmp_path: Path, field: Field) -> None:
    unset = a_dataset(**{field.keyword: field.empty[0]})
    assert of(said(tmp_path, unset), field.name) is None

    for path in field.nested:
        dataset = a_dataset(**{field.keyword: field.empty[0]})
        dataset.update(an_item(path, field.joined))
        assert of(said(tmp_path, dataset), field.name) == expected_of(field, path)


def test_a_b_matrix_with_a_hole_is_none(tmp_path: Path) -> None:
    dataset = a_dataset()
    dataset.update(an_item((0x00189117, 0x00189601), (0x00189602, 0x00189603)))

    assert of(said(tmp_path, dataset), "diffusion_b_matrix") is None


# ── what several values say together ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("echo", "planar", "inversion", "words"),
    [
        ("SPIN", "NO", "NO", ["SE"]),
        ("GRADIENT", "YES", "NO", ["GR", "EP"]),
        ("BOTH", "NO", "YES", ["SE", "GR", "IR"]),
        (None, None, None, None),
    ],
)
def test_an_enhanced_object_without_the_words_of_its_maker_gets_them_from_its_pulse_sequence(
    tmp_path: Path, echo: str | None, planar: str | None, inversion: str | None, words: list[str] | None
) -> None:
    modifier = Dataset()
    if inversion:
        modifier.InversionRecovery = inversion
    group = Dataset()
    group.MRModifierSequence = Sequence([modifier])
    dataset = a_dataset(EchoPulseSequence=echo, EchoPlanarPulseSequence=planar, SharedFunctionalGroupsSequence=Sequence([group]))

    header = said(tmp_path, dataset)

    assert of(header, "scanning_sequence") == words
    assert of(header, "scanning_sequence_source") == ("pulse_sequence_module" if words else None)


@pytest.mark.parametrize(
    ("direction", "matrix"), [("COLUMN", [0.0, 256.0, 192.0, 0.0]), ("ROW", [256.0, 0.0, 0.0, 192.0]), ("OTHER", None)]
)
def test_an_enhanced_object_gets_its_acquisition_matrix_from_its_steps(tmp_path: Path, direction: str, matrix: list[float] | None) -> None:
    item, group = Dataset(), Dataset()
    item.MRAcquisitionFrequencyEncodingSteps, item.MRAcquisitionPhaseEncodingStepsInPlane = 256, 192
    item.InPlanePhaseEncodingDirection = direction
    group.MRFOVGeometrySequence = Sequence([item])

    header = said(tmp_path, a_dataset(SharedFunctionalGroupsSequence=Sequence([group])))

    assert of(header, "in_plane_phase_encoding_direction") == ("COL" if direction == "COLUMN" else direction)
    assert of(header, "acquisition_matrix") == matrix


def test_the_corrections_of_an_enhanced_pet_object_count_in_its_key(tmp_path: Path) -> None:
    written = {"DecayCorrected": "YES", "AttenuationCorrected": "YES", "ScatterCorrected": "NO"}
    header = said(tmp_path, a_dataset(Modality="PT", SharedFunctionalGroupsSequence=Sequence([Dataset()]), **written))

    assert (of(header, "corrected_image"), of(header, "corrected_image_source")) == (["DECY", "ATTN"], "pet_corrections")
    assert "|AC=1|" in header.stacks[0]["key"]


def test_date_and_time_of_the_acquisition_stand_for_both_where_they_are_apart(tmp_path: Path) -> None:
    apart = said(tmp_path, a_dataset(AcquisitionDate="20200131", AcquisitionTime="101530.5"))
    whole = said(tmp_path, a_dataset(AcquisitionDate="20200131", AcquisitionTime="101530.5", AcquisitionDateTime="20200131101531"))

    assert (of(apart, "acquisition_date_time"), of(apart, "acquisition_date_time_source")) == (
        "2020-01-31T10:15:30.5",
        "acquisition_date_and_time",
    )
    assert (of(whole, "acquisition_date_time"), of(whole, "acquisition_date_time_source")) == ("2020-01-31T10:15:31", None)


# ── sources ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["dcm_qa_enh", "dcm_qa_pdt2", "dcm_qa_ct", "heudiconv", "nibabel", "wg04"])
def test_every_source_that_real_values_name_is_one_that_the_table_declares(real_dicom: RealDicom, name: str) -> None:
    named: set[tuple[str, str]] = set()
    for path in sorted(real_dicom(name).rglob("*"))[::3]:
        if isinstance(header := read(path), Header):
            both = {**header.shared, **header.image}
            named |= {(key[:-7], value) for key, value in both.items() if key.endswith("_source") and key not in STANDARD.by_name}

    assert [pair for pair in named if pair[1] not in STANDARD.by_name[pair[0]].sources] == []
