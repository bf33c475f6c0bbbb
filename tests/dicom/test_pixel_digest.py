"""The digest of a file's pixels is of the bytes as they are stored, however long they are and wherever they lie."""

import hashlib
import os
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian, JPEG2000Lossless

from dicom.headers import a_dataset, a_file
from gyrus.dicom import pixel_digest as digesting
from gyrus.dicom.pixel_digest import pixel_digest, place_of
from gyrus.dicom.reader import Header, read

PIXELS = bytes(range(256)) * 40


def digest_of(path: Path) -> str | None:
    stamp = (path.stat().st_size, path.stat().st_mtime_ns)
    header = read(path)
    assert isinstance(header, Header)
    seen, digest = pixel_digest(str(path), stamp)
    assert seen == stamp
    assert pixel_digest(str(path), stamp, place_of(header.image)) == (stamp, digest)
    return digest


def of_bytes(pixels: bytes) -> str:
    return hashlib.blake2b(pixels, digest_size=16).hexdigest()


def stored_as(folder: Path, syntax: UID, dataset: Dataset) -> Path:
    path = a_file(folder, a_dataset())
    dataset.file_meta = dcmread(path).file_meta
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize("piece", [1 << 20, 1000])
@pytest.mark.parametrize("syntax", [None, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
def test_pixels_are_digested_as_they_are_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int, syntax: UID | None) -> None:
    monkeypatch.setattr(digesting, "PIECE", piece)
    dataset = a_dataset(PixelData=PIXELS)
    if syntax in (ImplicitVRLittleEndian, ExplicitVRBigEndian):
        dataset["PixelData"].VR = "OW"
    path = a_file(tmp_path, dataset) if syntax is None else stored_as(tmp_path, syntax, dataset)

    assert digest_of(path) == of_bytes(PIXELS)


def test_fragments_are_digested_with_their_marks(tmp_path: Path) -> None:
    fragments = encapsulate([b"one fragment", b"and another."])
    dataset = a_dataset(PixelData=fragments)
    dataset["PixelData"].is_undefined_length = True
    path = stored_as(tmp_path, JPEG2000Lossless, dataset)

    digest = digest_of(path)

    assert digest != digest_of(a_file(tmp_path, a_dataset(PixelData=PIXELS), "other"))
    assert digest == digest_of(path)


def test_cut_pixels_are_digested_as_far_as_they_go(tmp_path: Path) -> None:
    path = a_file(tmp_path, a_dataset(PixelData=PIXELS))
    os.truncate(path, path.stat().st_size - 100)

    assert digest_of(path) == of_bytes(PIXELS[:-100])


def test_a_file_that_is_not_as_expected_or_no_file_is_not_digested(tmp_path: Path) -> None:
    path = a_file(tmp_path, a_dataset())
    os.mkfifo(tmp_path / "pipe")

    assert pixel_digest(str(path), (1, 1)) == ((path.stat().st_size, path.stat().st_mtime_ns), None)
    assert pixel_digest(str(tmp_path / "gone"), (1, 1)) == ((None, None), None)
    assert pixel_digest(str(tmp_path / "pipe"), (1, 1)) == ((None, None), None)


@pytest.mark.parametrize("kind", ["nothing", "folder", "link", "pipe"])
def test_what_is_no_regular_file_is_told_from_pixels_that_cannot_be_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / kind
    make = {"folder": path.mkdir, "link": lambda: path.symlink_to("/etc/hostname"), "pipe": lambda: os.mkfifo(path)}
    make.get(kind, lambda: None)()

    assert pixel_digest(str(path), (1, 2)) == ((None, None), None)


def test_a_file_that_cannot_be_opened_is_as_expected_and_has_no_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(digesting.os, "open", refusing)

    assert pixel_digest(str(tmp_path / "closed"), (1, 2)) == ((1, 2), None)
