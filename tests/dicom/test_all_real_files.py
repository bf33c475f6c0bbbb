"""Every public file that is at hand, judged by what its makers and other readers say of it.

`make test` reads the sets that are quickly unpacked; `make soak`, or GYRUS_TEST_DICOM with the folder of all of them, reads everything.
Exceptions stand here one by one, each with its reason: a new one fails the test, and so does one that is no longer true.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dicom.conftest import ARCHIVES, UNPACK
from gyrus.console.offline import Found, extract
from gyrus.dicom.keys import parsed_key
from gyrus.dicom.rejects import REJECT_REASONS
from gyrus.extractor.settle import settle

Record = dict[str, Any]

pytestmark = pytest.mark.timeout(600)

LARGE = {
    *("dcm_qa_canon", "dcm_qa_ge", "dcm_qa_philips_asl", "dcm_qa_trt", "dcm_qa_philips_enh", "dcm_qa_xa30i", "mirp", "dcm_qa_table"),
    *("dcm_qa_philips", "dcm_qa_toshiba", "dcm_qa_polar", "dcm_qa_nih"),
}

# ── exceptions ───────────────────────────────────────────────────────────────────────────────────────────────────────

# Images by the manifest, since they have pixels; for us they show no patient.
NO_PICTURE = {"SEG": "non_image_object", "RTDOSE": "non_image_object"}
REFUSED = {"genFile.dcm": "missing_modality"}  # an object of a private class, without a modality

KINDS = {
    "dicomdir": {"dicomdir"},
    "not-dicom": {"not_dicom", "empty_file", "compressed_container"},
}

# Cut or damaged beyond their identifiers: what their headers say is whole, so they are kept (and counted as truncated).
KEPT = {
    *("GH1339.dcm", "GH1146.dcm", "half_written.dcm.part", "cut_in_pixels.dcm", "bad_uid.dcm", "jp2_label_native_pixels.dcm"),
    *("emri_small_jpeg_2k_lossless_too_short.dcm", "MR_truncated.dcm", "cut_mosaic.dcm"),
}

# Files of one instance whose bytes differ while every field and every pixel is the same: encodings of a text, elements we do not keep.
SAY_THE_SAME = [
    {"CTImage.dcm", "CTImage.dcm_LittleEndianImplicitTransferSyntax_1.2.840.10008.1.2.dcm"},
    {"chrFren.dcm", "chrFrenMulti.dcm"},
    {"CT_small.dcm", "ct_image.dcm"},
]

COPIES = "the label counts files; they are copies of one instance in other encodings, and only one of them is the instance"
LOSSY = "copies in lossy encodings, which the label keeps apart as DERIVED: ORIGINAL or DERIVED is not in our key"
PLANES = "planes that are not parallel, of one orientation class: one stack, which says mixed_orientation and has no volumes"
PARTS = "slices of 4 and of 7 mm are two volumes for us"
NOMINAL = "the label has the b-value that was reached, 930; our shells are the nominal ones, 1000"
NO_CREATOR = "an anonymiser removed the creators of private elements, and without a creator an element is nobody's"
NO_PLACE = "colour copies (secondary capture) with neither position nor contrast: nobody knows what volumes they make"
NO_PIXELS = "the files have no pixel data: they are refused"

EXCEPTIONS: dict[tuple[str, str], str] = {
    ("1.2.840.113619.2.30.1.1762295590.1623.978668949.890", "stacks"): LOSSY,
    ("1.3.6.1.4.1.5962.1.3.2.1.20040826185059.5457", "stacks"): LOSSY,
    ("1.3.6.1.4.1.5962.1.3.7.1.20040826185059.5457", "stacks"): LOSSY,
    ("1.3.6.1.4.1.5962.1.3.8.1.20040826185059.5457", "stacks"): LOSSY,
    ("1.2.826.0.1.3680043.9.4245.3115138630835728997848661150714813892", "stacks"): PARTS,
    ("1.3.12.2.1107.5.2.43.67093.30000023011319484937100000265", "stacks"): PLANES,
    ("1.3.12.2.1107.5.2.43.67093.30000023011319484937100000278", "stacks"): PLANES,
    ("1.3.12.2.1107.5.2.43.67093.30000023011319484937100000287", "stacks"): PLANES,
    ("1.3.6.1.4.1.5962.1.1.0.0.0.1196533885.18148.0.118", "stacks"): PLANES,
    ("1.3.12.2.1107.5.2.43.167096.2022111614164726233901453.0.0.0", "n_volumes"): PLANES,
    ("1.2.156.112605.14038013508437.20180925054056.3.12348.5", "b_values"): NOMINAL,
    ("1.2.156.112605.14038013508437.20180925055611.3.12880.5", "b_values"): NOMINAL,
    ("1.2.156.112605.14038013508437.20180925060450.3.15644.3", "b_values"): NOMINAL,
    ("1.2.826.0.1.3680043.8.498.1725697665093567298242875077", "b_values"): NO_CREATOR,
    ("1.2.826.0.1.3680043.8.498.1725697665093567298250528831", "b_values"): NO_CREATOR,
    ("1.2.826.0.1.3680043.8.498.1725697665093567298251101136", "b_values"): NO_CREATOR,
    ("1.2.826.0.1.3680043.8.498.1725697665093567298244257421", "n_volumes"): COPIES,
    ("1.3.12.2.1107.5.2.32.35119.2010011420292594820699190.0.0.0", "n_volumes"): COPIES,
    ("1.3.6.1.4.1.5962.1.3.4.1.20040826185059.5457", "n_volumes"): COPIES,
    (
        "1.3.12.2.1107.5.2.32.35131.2014031012481958900586557.0.0.0",
        "n_volumes",
    ): "one mosaic in nine encodings, under nine identifiers: nine",
    ("1.3.12.2.1107.5.2.43.67093.30000023011319484937100005558", "n_volumes"): NO_PLACE,
    ("1.3.12.2.1107.5.2.43.67093.30000023011319484937100005988", "n_volumes"): NO_PLACE,
    ("1.3.12.2.1107.5.2.43.67093.30000023011319484937100005988", "echo_times"): NO_PLACE,
    ("1.3.12.2.1107.5.2.43.67093.30000023011319484937100006064", "n_volumes"): NO_PLACE,
    ("1.3.12.2.1107.5.2.43.67093.30000023011319484937100006064", "echo_times"): NO_PLACE,
    ("1.2.840.113619.2.284.3.17442826.413.1388989542.639", "seen"): NO_PIXELS,
    ("1.3.12.2.1107.5.2.32.35078.2011122313165022643777945.0.0.0", "seen"): NO_PIXELS,
}


# ── what was read ────────────────────────────────────────────────────────────────────────────────────────────────────


def lines(name: str) -> list[Record]:
    return [json.loads(line) for line in (ARCHIVES / name).read_text(encoding="utf-8").splitlines()]


@dataclass(frozen=True)
class Read:
    """What came of the files of some sets."""

    archives: set[str]
    found: Found

    @property
    def manifest(self) -> dict[str, Record]:
        return {entry["path"]: entry for entry in lines("MANIFEST.jsonl") if entry["archive"] in self.archives}

    @property
    def labels(self) -> list[Record]:
        return [label for label in lines("LABELS.jsonl") if label["archive"] in self.archives]

    def stacks_of(self, label: Record) -> list[Record]:
        """The stacks of a labelled series as if only the files of the label's set were there."""
        for series in self.found.series:
            if series.id.endswith("/" + label["series_uid"]):
                files = [file for file in series.files if file["name"].startswith(label["archive"] + "/")]
                if len(files) == len(series.files):
                    return [stack.document for stack in series.stacks]
                return list(settle(files, series.headers).stacks.values())
        return []


@pytest.fixture(scope="module", params=["quick", pytest.param("all", marks=pytest.mark.soak)])
def read(request: pytest.FixtureRequest) -> Read:
    if not ARCHIVES.is_dir():
        pytest.skip("../shared/data/dicom with the public sets is not there")
    if "GYRUS_TEST_DICOM" in os.environ:
        home = Path(os.environ["GYRUS_TEST_DICOM"])
        return Read({path.name for path in home.iterdir() if path.is_dir()}, extract(home, 2))
    archives = {path.name.removesuffix(".tar.xz") for path in ARCHIVES.glob("*.tar.xz")} - (LARGE if request.param == "quick" else set())
    home = Path(tempfile.gettempdir()) / f"gyrus-real-dicom-{request.param}"
    command = [sys.executable, str(UNPACK), str(home), "--source", str(ARCHIVES), *(f"--only={name}" for name in sorted(archives))]
    subprocess.run(command, check=True, capture_output=True)
    return Read(archives, extract(home, 2))


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_file_is_accounted_for_and_refused_for_a_reason_of_the_list(read: Read) -> None:
    kept = {file["name"] for series in read.found.series for file in series.files}
    refused = {file["path"]: file["reason"] for file in read.found.rejected}

    assert kept | set(refused) == set(read.manifest)
    assert not kept & set(refused)
    assert set(refused.values()) <= set(REJECT_REASONS)
    assert sum(read.found.outcomes.values()) == len(read.manifest)


def test_images_are_kept_and_everything_else_is_refused(read: Read) -> None:
    refused = {file["path"]: file["reason"] for file in read.found.rejected}
    surprises = {}
    for path, entry in read.manifest.items():
        reason, name = refused.get(path), Path(path).name
        if entry["kind"] == "dicom":
            expected = {NO_PICTURE.get(entry["modality"]) or REFUSED.get(name)}
        elif entry["kind"] in KINDS:
            expected = KINDS[entry["kind"]]
        else:
            expected = {None} if name in KEPT else set(REJECT_REASONS)
        if reason not in expected:
            surprises[path] = reason

    assert surprises == {}


def test_of_files_of_one_instance_one_is_it_and_the_others_are_duplicates_or_conflicts_by_their_bytes(read: Read) -> None:
    manifest, surprises, counted = read.manifest, {}, Counter[str]()
    for series in read.found.series:
        groups: dict[str, list[Record]] = defaultdict(list)
        for file in series.files:
            groups[file["sop_instance_uid"]].append(file)
        for files in groups.values():
            (winner,) = (file for file in files if file["outcome"] == "extracted")
            for file in files:
                one, other = manifest[winner["name"]], manifest[file["name"]]
                is_same = one["sha256"] == other["sha256"] or {Path(one["path"]).name, Path(other["path"]).name} in SAY_THE_SAME
                expected = "extracted" if file is winner else "duplicate" if is_same else "conflicting"
                counted[file["outcome"]] += 1
                if (file["outcome"], "differs" in file) != (expected, expected == "conflicting"):
                    surprises[file["name"]] = file["outcome"]

    assert surprises == {}
    assert counted["duplicate"] > 20
    assert counted["conflicting"] > 20


# ── series ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def shells(values: Iterable[float]) -> set[int]:
    """b-values rounded as people name them: to 50 below 500 s/mm², to 100 above; below 20 is 0; 0 alone is no diffusion."""
    rounded = {0 if value < 20 else round(value / 50) * 50 if value < 500 else round(value / 100) * 100 for value in values}
    return rounded if any(rounded) else set()


def echo_times(stacks: list[Record]) -> set[float]:
    """As they stand in keys, in tenths of a millisecond; 0 is that of computed maps."""
    texts = (parsed_key(stack["stack_key"]).get("TE") for stack in stacks)
    return {float(text) for text in texts if text and float(text)}


def misses(label: Record, stacks: list[Record]) -> Iterable[str]:
    """What of a labelled series was read otherwise."""
    least, most = label["expected_stacks_range"]
    if not stacks:
        if most:
            yield "seen"
        return
    if not least <= len(stacks) <= most:
        yield "stacks"
    if label["b_values"] and set().union(*(shells(stack["b_values"]) for stack in stacks)) != shells(label["b_values"]):
        yield "b_values"
    if label["echo_times"] and echo_times(stacks) != {round(time, 1) for time in label["echo_times"] if time}:
        yield "echo_times"
    if label["n_volumes"] and least == most == len(stacks) == 1 and stacks[0]["n_volumes"] != label["n_volumes"]:
        yield "n_volumes"


def test_stacks_volumes_b_values_and_echo_times_are_as_labelled(read: Read) -> None:
    found = {(label["series_uid"], what) for label in read.labels for what in misses(label, read.stacks_of(label))}
    known = {key for key in EXCEPTIONS if key[0] in {label["series_uid"] for label in read.labels}}

    assert sorted(found - known) == [], "these are no exceptions that we know"
    assert sorted(known - found) == [], "these are no exceptions any more"


def test_stacks_of_ninety_seven_series_in_a_hundred_are_as_many_as_expected(read: Read) -> None:
    if read.archives & LARGE != LARGE:
        pytest.skip("a share is of all series; `make soak` reads them")
    sets = Counter(label["series_uid"] for label in read.labels)
    asked = [label for label in read.labels if sets[label["series_uid"]] == 1 and read.stacks_of(label)]  # as score_series.py does
    wrong = [label for label in asked if "stacks" in misses(label, read.stacks_of(label))]

    assert len(asked) > 250
    assert len(wrong) <= 0.03 * len(asked)


def test_every_image_is_in_exactly_one_stack(read: Read) -> None:
    for series in read.found.series:
        images = sum(share["n"] for file in series.files if file["outcome"] == "extracted" for share in file["stacks"])
        assert sum(stack.document["n_images"] for stack in series.stacks) == images, series.id
