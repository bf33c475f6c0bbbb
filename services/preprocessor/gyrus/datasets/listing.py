"""Which images there are: of a data set with metadata.json, or of a folder that holds prepared images only."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from gyrus.data.layout import METADATA
from gyrus.data.metadata import DatasetMetadata
from gyrus.data.modes import mode_of
from gyrus.data.storage import REMOTE

log = logging.getLogger("gyrus.datasets")


@dataclass(frozen=True)
class ImageRef:
    """One image and where its files are."""

    study: str
    image: str  #: how the names of its files begin
    mode: str  #: mri or ct
    folder: Path  #: of the prepared files
    source: Path | None = None  #: what it is made of; None: nobody here knows
    subject: str = ""  #: "": the study stands for its subject
    label_id: str = ""  #: how a file of labels names the study; "": by the name of the study

    @property
    def path(self) -> str:
        return f"{self.study}/{self.image}"

    @property
    def labelled_as(self) -> str:
        return self.label_id or self.study

    @property
    def of_subject(self) -> str:
        return self.subject or self.study


def images_in(data_dir: str | PathLike[str]) -> list[ImageRef]:
    """The images of a directory, in the order of metadata.json or, where there is none, of what was prepared by `<study>/<image>`.

    Raises FileNotFoundError where there is neither, ValueError for a damaged list and for an object store.
    """
    if REMOTE in fspath(data_dir):
        raise ValueError(f"{fspath(data_dir)} is no folder: training reads files. Mount or copy the store, and name that folder")
    root = Path(data_dir)
    if (root / "metadata.json").is_file():
        return list(_by_metadata(root))
    found = list(_prepared(root / "processed" if (root / "processed").is_dir() else root))
    if not found:
        raise FileNotFoundError(
            f"{root} holds neither metadata.json (DatasetMetadata.from_directory(…).save(…) writes it) nor prepared images "
            f"(<study>/<image>{METADATA}, as `gyrus preprocess PATH -o DIR` writes them)"
        )
    return found


def _by_metadata(root: Path) -> Iterator[ImageRef]:
    metadata = DatasetMetadata.from_file(root / "metadata.json")
    for study, said in metadata.studies.items():
        for image, about in said["images"].items():
            source = root / "raw" / study / about["filename"]
            yield ImageRef(study, image, said["mode"], root / "processed" / study, source)


def _prepared(root: Path) -> Iterator[ImageRef]:
    written = [(path, _read(path)) for path in sorted(root.glob(f"*/*{METADATA}"))]
    for path, said in _last_makings(written):
        if "mode" in said:  # else there are pictures only
            yield ImageRef(path.parent.name, path.name.removesuffix(METADATA), mode_of(said["mode"]), path.parent)


def _read(path: Path) -> dict[str, Any]:
    try:
        said = json.loads(path.read_text())
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise ValueError(f"{path} is damaged: prepare this image again, or delete the file to do without the image")
    return said


def _last_makings(written: list[tuple[Path, dict[str, Any]]]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Without what was made of a stack before its last making: a service removes that a while later only, or was stopped before."""
    makings = [_making(path, said.get("about", {})) for path, said in written]
    last: dict[str, tuple[int, int, str]] = {}
    for stack, making in makings:
        last[stack] = max(making, last.get(stack, making))
    for (path, said), (stack, (_, _, about)) in zip(written, makings, strict=True):
        if about == last[stack][2]:
            yield path, said
        else:
            log.warning("%s is left out: its stack was made again, as other files, labels or another policy ask", path)


def _making(path: Path, about: dict[str, Any]) -> tuple[str, tuple[int, int, str]]:
    """The stack an image was made of (itself, where nobody says), and which making of that it is: the latest is the largest."""
    return str(about.get("stack") or path), (about.get("n", 0), path.stat().st_mtime_ns, json.dumps(about))
