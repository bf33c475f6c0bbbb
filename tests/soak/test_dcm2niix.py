"""dcm2niix as a judge, on every series of the public sets with real pixels: the same voxels in the same places, or a known reason."""

import json
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dcm2niix
import nibabel
import numpy as np
import pytest

from gyrus.data import find_stacks
from gyrus.data.exporting import nifti_of
from gyrus.dicom.refused import Refused

MANIFEST = Path(__file__).parents[3] / "shared" / "data" / "dicom" / "MANIFEST.jsonl"
pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]
FARTHEST_MM = 0.01
WIDEST_DEGREES = 1.0
END = 23  # of a UID's characters, which tell the series of a set apart

# Series whose outcome is not "equal" for each stack: set and end of the UID, what happens, and why.
JPEG_12_BIT = "no decoder of pydicom's reads JPEG Extended with 12 bits; we refuse"
NO_CREATOR = "elements of the maker without their creator: dcm2niix reads them as b-values, we do not"
COLOUR = "a colour map: dcm2niix writes RGB, we refuse"
SCOUT = "planes of several orientations under one type: dcm2niix writes an image each, we refuse"
KNOWN: dict[tuple[str, str], tuple[str, str]] = {
    ("cornerstone", "5590.1623.978668949.890"): ("undecodable_pixels", JPEG_12_BIT),
    ("cornerstone", "3.10.3.1166562673.14401"): ("undecodable_pixels", JPEG_12_BIT + "; dcm2niix too"),
    ("dcm_qa_ct", "28997848661150714813892"): (
        "shape",
        "slices of 4 and 7 mm: one uneven volume there, two even stacks here",
    ),
    ("dcm_qa_fmap", "06157.1617975134.635445"): (
        "shape",
        "magnitude and map of GE are two volumes of one stack here",
    ),
    ("dcm_qa_ts", "12481958900586557.0.0.0"): ("shape", "one series under nine numbers: nine files there, nine volumes of one stack here"),
    ("dcm_qa_xa30i", "23011319484937100005988"): ("unsupported_pixels", COLOUR),
    ("dcmstack", "81945149135660302.0.0.0"): ("uneven_spacing", "slices are missing: we refuse"),
    ("dicom2nifti", "46196095999688458856228"): ("missing_slices", "slices are missing: we refuse"),
    ("dicom2nifti", "69766509356512040321185"): (
        "affine",
        "a tilted gantry: a rigid affine there, a sheared one here",
    ),
    ("dicom2nifti", "97665093567298242875077"): ("b-values", NO_CREATOR),
    ("dicom2nifti", "97665093567298248316927"): ("values", "order of volumes: ours by frame, dcm2niix by dimension index"),
    ("dicom2nifti", "97665093567298251101136"): ("b-values", NO_CREATOR),
    ("dicom2nifti", "97665093567298251700242"): ("mosaic", "a mosaic without the creator of the element that counts its slices: we refuse"),
    ("dicom2nifti", "75184016920326015805567"): ("values", "a rescale for each slice, as made by ours; dcm2niix takes the first for all"),
    ("dicom2nifti", "47751344098776959515224"): ("unsupported_pixels", COLOUR),
    ("fo_dicom", "684.2012100810590168025"): (
        "values",
        "no rescale but in an element of Philips: dcm2niix takes it, we leave stored numbers",
    ),
    ("fo_dicom", ".1.1.20031208063649.855"): ("no counterpart", "dcm2niix reads no image"),
    ("heudiconv", "13305993517101902.0.0.0"): ("several_volumes", "an interrupted run: we refuse, dcm2niix leaves out the last volume"),
    ("heudiconv", "14164726233901453.0.0.0"): ("mixed_orientation", SCOUT + "; or nothing"),
    ("nibabel", "11111111111111111111111"): ("no counterpart", "dcm2niix reads no image"),
    ("nibabel", "20292594820699190.0.0.0"): ("mixed_matrix", "mosaics with tiles of two sizes in one series: two files there, we refuse"),
    ("pydicom_data", "72412969836992152438492"): ("no_geometry", "frames without positions: we refuse"),
    ("pydicom_test_files", "21616157144550003340146"): (
        "values",
        "JPEG 2000 signed by header, not by stream: dcm2niix is off by 8192",
    ),
    ("pydicom_test_files", ".0.1194734704.16302.0.2"): ("shape", "two scouts at right angles: one volume there, two stacks here"),
    ("pydicom_test_files", ".0.1196530851.28319.0.2"): ("missing_slices", "slices are missing: we refuse"),
    ("pydicom_test_files", ".1196533885.18148.0.118"): ("mixed_orientation", SCOUT),
    ("synthetic_broken", "496.2014021409060429999"): ("shape", "a made-up series of broken slices"),
    ("wg04", "02903961139526297576821"): (
        "b-values",
        "a map made of diffusion: dcm2niix writes b-values for its one volume, we write none",
    ),
    ("wg04", "2.1.20040826185059.5457"): (
        "shape",
        "one slice in six encodings: six volumes of one stack here, of which dcm2niix joins four",
    ),
    ("wg04", "7.1.20040826185059.5457"): ("undecodable_pixels", JPEG_12_BIT + "; dcm2niix too"),
}


def series_of(real: Path) -> dict[tuple[str, str], list[Path]]:
    """The files with real pixels of each MR and CT series, each SOP instance once."""
    found: dict[tuple[str, str], dict[str, Path]] = defaultdict(dict)
    with MANIFEST.open() as lines:
        for entry in map(json.loads, lines):
            if entry["kind"] == "dicom" and not entry["reduced"] and entry["modality"] in ("MR", "CT"):
                found[entry["archive"], entry["series_uid"]].setdefault(entry["sop_uid"], real / entry["path"])
    return {series: list(files.values()) for series, files in found.items()}


def by_dcm2niix(files: list[Path], folder: Path) -> list[Path]:
    """What dcm2niix makes of them; `-p n`: values as a scanner's console shows them, its default for Philips are the maker's own."""
    (folder / "src").mkdir(parents=True)
    for number, path in enumerate(files):
        (folder / "src" / f"{number}.dcm").symlink_to(path)
    command = [dcm2niix.bin, "-z", "n", "-b", "n", "-p", "n", "-f", "%s_%e", "-o", str(folder), str(folder / "src")]
    subprocess.run(command, check=False, capture_output=True, timeout=300)
    return sorted(folder.glob("*.nii"))


def outcomes(files: list[Path], folder: Path) -> Iterator[str]:
    """Of each stack: `equal`, why we refuse it, or what differs from what comes nearest to it."""
    theirs = by_dcm2niix(files, folder)
    for stack in find_stacks(folder / "src"):
        try:
            ours = nifti_of(stack.images)
        except Refused as refused:
            yield refused.reason
            continue
        (folder / "ours.nii.gz").write_bytes(ours[".nii.gz"])
        found = [difference(folder / "ours.nii.gz", ours, other) for other in theirs]
        yield min(found, key=("equal", "directions", "b-values", "affine", "values", "shape").index, default="no counterpart")


def difference(path: Path, ours: dict[str, bytes], other: Path) -> str:
    """The first thing in which a file of dcm2niix differs from ours."""
    mine, its = nibabel.load(path), nibabel.load(other)
    one, two = nibabel.as_closest_canonical(mine), nibabel.as_closest_canonical(its)
    if one.shape != two.shape:
        return "shape"
    if not np.allclose(one.get_fdata(), two.get_fdata(), rtol=1e-5, atol=1e-4 * max(1.0, np.abs(two.get_fdata()).max())):
        return "values"
    if not np.allclose(one.affine, two.affine, atol=FARTHEST_MM):
        return "affine"
    if (".bval" in ours) != other.with_suffix(".bval").exists():
        return "b-values"
    return diffusion(mine, ours, its, other) if ".bval" in ours else "equal"


def diffusion(mine: Any, ours: dict[str, bytes], its: Any, other: Path) -> str:
    """Whether b-values are equal, and directions of weighted volumes, turned into the patient's axes."""
    b_values = np.loadtxt(other.with_suffix(".bval")).ravel()
    if not np.allclose(np.array(ours[".bval"].split(), float), b_values, atol=2):
        return "b-values"
    if ".bvec" not in ours:
        return "directions"
    one, two = in_patient(mine, ours[".bvec"].decode()), in_patient(its, other.with_suffix(".bvec").read_text())
    told = (np.linalg.norm(one, axis=0) > 0.5) & (np.linalg.norm(two, axis=0) > 0.5)
    same_told = np.array_equal(np.linalg.norm(one, axis=0) > 0.5, np.linalg.norm(two, axis=0) > 0.5)
    near = np.abs((one * two).sum(axis=0)[told]) > np.cos(np.radians(WIDEST_DEGREES))
    return "equal" if same_told and near.all() else "directions"


def in_patient(image: Any, text: str) -> Any:
    """Unit vectors of a `.bvec` in RAS, 3 × volumes."""
    vectors = np.array([line.split() for line in text.splitlines()], float)
    axes = image.affine[:3, :3] / np.linalg.norm(image.affine[:3, :3], axis=0)
    vectors[0] *= -1 if np.linalg.det(axes) > 0 else 1
    turned: Any = axes @ vectors / np.maximum(np.linalg.norm(vectors, axis=0), 0.1)
    return turned


def test_dcm2niix_has_the_same_volumes_but_where_a_reason_is_known(real: Path, tmp_path: Path) -> None:
    if not MANIFEST.exists():
        pytest.skip("the real files are not at hand: ../shared/data/dicom/MANIFEST.jsonl is missing")
    seen, differing = Counter[str](), {}
    for number, ((archive, series), files) in enumerate(sorted(series_of(real).items())):
        found = list(outcomes(files, tmp_path / str(number)))
        seen.update(found)
        if set(found) != {"equal"}:
            differing[archive, series[-END:]] = ", ".join(sorted(set(found) - {"equal"}))
    print(f"\n{sum(seen.values())} stacks: {dict(seen.most_common())}")
    for (archive, series), what in differing.items():
        print(f"    ({archive!r}, {series!r}): {what!r},")
    assert differing == {series: what for series, (what, _) in KNOWN.items()}
