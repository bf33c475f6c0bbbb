"""What the sample's less ordinary images show: mosaics, frames, phases, veins, activity – read by readers that are not ours."""

import math
import re
import warnings
from collections import defaultdict
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from console.conftest import Sample

with warnings.catch_warnings(action="ignore", category=UserWarning):  # nibabel calls its DICOM readers experimental
    from nibabel.nicom import dicomwrappers

LPS_OF_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
PHILIPS_MR = "Philips MR Imaging DD 001"

Series = dict[str, list[Dataset]]


@pytest.fixture(scope="module")
def series(sample: Sample) -> Series:
    """The data sets with their pixels by station and series number, such as `SAMPLEMR1/8`, in the order of their numbers."""
    found = defaultdict(list)
    for path in sample.folder.glob("sub-*/**/*"):
        if path.is_file():
            dataset = pydicom.dcmread(path)
            found[f"{dataset.StationName}/{dataset.SeriesNumber}"].append(dataset)
    return {name: sorted(datasets, key=lambda dataset: int(dataset.InstanceNumber)) for name, datasets in found.items()}


def values(dataset: Dataset) -> np.ndarray:
    """Pixels in the unit of the rescale."""
    return dataset.pixel_array * float(dataset.get("RescaleSlope", 1)) + float(dataset.get("RescaleIntercept", 0))


def volume(datasets: list[Dataset]) -> np.ndarray:
    return np.stack([values(dataset) for dataset in datasets])


def test_a_mosaic_lies_where_another_reader_puts_it(series: Series) -> None:
    bold, axial = series["SAMPLEMR1/8"][0], series["SAMPLEMR1/9"]

    mosaic = dicomwrappers.wrapper_from_data(bold)

    assert mosaic.image_shape == (64, 64, 24)
    centre = (mosaic.affine @ [31.5, 31.5, 11.5, 1])[:3]
    assert np.allclose(centre, centre_of(axial), atol=0.01)
    assert np.allclose(mosaic.voxel_sizes, (3.4375, 3.4375, 5))


def centre_of(slices: list[Dataset]) -> np.ndarray:
    """The middle of a stack of slices, mm."""
    corners = np.mean([np.array(one.ImagePositionPatient, dtype=float) for one in slices], axis=0)
    row, column = np.array(slices[0].ImageOrientationPatient, dtype=float).reshape(2, 3)
    half = (np.array([slices[0].Columns, slices[0].Rows]) - 1) / 2 * float(slices[0].PixelSpacing[0])
    return corners + row * half[0] + column * half[1]


def test_slices_of_a_mosaic_are_measured_in_turns_within_the_repetition_time(series: Series) -> None:
    times = list(series["SAMPLEMR1/8"][0].private_block(0x0019, "SIEMENS MR HEADER")[0x29].value)

    assert len(times) == len(set(times)) == 24
    assert 0 <= min(times) < max(times) < 2000
    assert times[1] < times[0], "the second slice of an even number comes first"


def test_a_flickering_light_is_seen_by_a_small_part_of_the_brain(series: Series) -> None:
    bold = volume(series["SAMPLEMR1/8"])
    brain = bold.mean(axis=0) > 300

    change = bold[3:7].mean(axis=0)[brain] / bold[[0, 1, 2, 7, 8, 9]].mean(axis=0)[brain] - 1

    assert abs(np.median(change)) < 0.002
    assert 0.015 < np.quantile(change, 0.995) < 0.05


def test_phase_grows_with_the_echo_time(series: Series) -> None:
    (fields,) = series["SAMPLEMR4/301"]
    frames = defaultdict(list)
    for groups, pixels in zip(fields.PerFrameFunctionalGroupsSequence, fields.pixel_array, strict=True):
        scale = groups.PixelValueTransformationSequence[0]
        key = (groups.MRImageFrameTypeSequence[0].ComplexImageComponent, groups.MREchoSequence[0].EffectiveEchoTime)
        frames[key].append(pixels * float(scale.RescaleSlope) + float(scale.RescaleIntercept))
    phase = {echo_ms: np.stack(planes) / 1000 for (component, echo_ms), planes in frames.items() if component == "PHASE"}
    brain = (np.stack(frames["MAGNITUDE", 2.3]) > 700) & (abs(phase[2.3]) > 0.2) & (abs(phase[2.3]) < 1.4)

    ratio = phase[4.6][brain] / phase[2.3][brain]

    assert all(abs(one).max() <= math.pi + 0.001 for one in phase.values())
    assert brain.sum() > 500
    assert abs(np.median(ratio) - 2) < 0.1


def test_the_field_is_even_in_the_brain_and_bent_near_the_air(series: Series) -> None:
    magnitude = volume(series["SAMPLEMR1/6"][:20])
    hertz = volume(series["SAMPLEMR1/7"]) / 4096 / 2 / 0.00246
    tissue = magnitude > 500

    assert abs(np.median(hertz[tissue])) < 10
    assert np.quantile(abs(hertz[tissue]), 0.5) < 40
    assert np.quantile(abs(hertz[tissue]), 0.999) > 80


def test_veins_are_darker_the_more_the_phase_counts(series: Series) -> None:
    magnitude, phase, darkest, weighted = (volume(series[f"SAMPLEMR1/{number}"]) for number in (10, 11, 12, 13))
    head = magnitude > 400
    veins = (phase < -1000) & (magnitude > 200)

    assert np.median(weighted[veins]) < 0.5 * np.median(magnitude[veins])
    assert np.median(weighted[head]) > 0.85 * np.median(magnitude[head])
    assert np.mean(darkest < 200) > np.mean(weighted[4:-3] < 200)


def test_uptake_values_follow_from_activity_dose_weight_and_decay(series: Series) -> None:
    emission = series["SAMPLEPT1/4"]
    tracer = emission[0].RadiopharmaceuticalInformationSequence[0]
    waited_s = seconds(emission[0].SeriesTime) - seconds(tracer.RadiopharmaceuticalStartTime)
    dose = float(tracer.RadionuclideTotalDose) * 0.5 ** (waited_s / float(tracer.RadionuclideHalfLife))

    uptake = volume(emission) * float(emission[0].PatientWeight) * 1000 / dose

    assert waited_s == 3600
    assert {dataset.Units for dataset in emission} == {"BQML"}
    assert len({float(dataset.RescaleSlope) for dataset in emission}) > 40
    assert 6 < np.quantile(uptake[uptake > 1], 0.99) < 12, "cortex"
    assert 1.02 < float(emission[0].DecayFactor) < 1.04


def seconds(time: str) -> float:
    return int(time[:2]) * 3600 + int(time[2:4]) * 60 + float(time[4:])


def test_a_localizer_shows_three_planes_in_one_series(series: Series) -> None:
    for name in ("SAMPLEMR1/1", "SAMPLEMR3/101"):
        normals = defaultdict(int)
        for dataset in series[name]:
            row, column = np.array(dataset.ImageOrientationPatient, dtype=float).reshape(2, 3)
            normals[int(np.argmax(abs(np.cross(row, column))))] += 1

        assert dict(normals) == {0: 3, 1: 3, 2: 3}


def test_frames_are_told_apart_by_their_dimensions(series: Series) -> None:
    frames = {name: series[f"SAMPLEMR4/{name}"][0] for name in (201, 301, 401)}

    assert {name: int(one.NumberOfFrames) for name, one in frames.items()} == {201: 64, 301: 4 * 32, 401: 7 * 22}
    for one in frames.values():
        groups = one.PerFrameFunctionalGroupsSequence
        indices = {tuple(group.FrameContentSequence[0].DimensionIndexValues) for group in groups}
        assert len(indices) == len(groups) == len(one.pixel_array)
        assert {len(index) for index in indices} == {len(one.DimensionIndexSequence)}


def test_the_weighting_of_a_frame_stands_in_its_functional_group(series: Series) -> None:
    shells: dict[float, set[Any]] = defaultdict(set)
    for groups in series["SAMPLEMR4/401"][0].PerFrameFunctionalGroupsSequence:
        (diffusion,) = groups.MRDiffusionSequence
        direction = diffusion.get("DiffusionGradientDirectionSequence")
        shells[diffusion.DiffusionBValue].add(tuple(direction[0].DiffusionGradientOrientation) if direction else None)

    assert {b_value: len(directions) for b_value, directions in shells.items()} == {0: 1, 1000: 6}
    assert all(np.isclose(np.linalg.norm(direction), 1) for direction in shells[1000])


def test_philips_writes_slopes_stack_and_weighting_into_every_image(series: Series) -> None:
    for name in ("101", "201", "301", "401"):
        for dataset in series[f"SAMPLEMR3/{name}"]:
            block = dataset.private_block(0x2005, PHILIPS_MR)
            assert block[0x0E].value > 0
            assert float(dataset.RescaleSlope) > 1
            assert dataset.DiffusionBValue == dataset.private_block(0x2001, "Philips Imaging DD 001")[0x03].value == 0
            assert len(dataset[0x2001, 0x105F].value) == 1
            assert re.match("WIP ", dataset.ProtocolName)


def test_a_field_map_holds_two_echoes_and_a_difference(series: Series) -> None:
    echoes = {(float(dataset.EchoTime), int(dataset.EchoNumbers)) for dataset in series["SAMPLEMR1/6"]}
    (difference,) = {(float(dataset.EchoTime), dataset.ImageType[2]) for dataset in series["SAMPLEMR1/7"]}

    assert echoes == {(4.92, 1), (7.38, 2)}
    assert difference == (7.38, "P")
