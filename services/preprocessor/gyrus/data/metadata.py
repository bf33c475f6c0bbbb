"""metadata.json: the studies of a data set, their modes and images."""

import json
import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any, Final

from gyrus.data.layout import MASK, METADATA, as_json, endings
from gyrus.data.modes import MODES, mode_of
from gyrus.data.sources import has_dicom, is_image
from gyrus.data.storage import place_of

log = logging.getLogger("gyrus.data")

VERSION: Final = "1.0"
NIFTI: Final = (".nii.gz", ".nii")
SINGLE: Final = (".dcm", ".dicom")
Document = dict[str, Any]


class DatasetMetadata:
    """Which studies there are, the mode of each, and which images: {image: {filename, processed}}."""

    def __init__(self) -> None:
        self.dataset_name = ""
        self.version = VERSION
        self.created = datetime.now(UTC).isoformat()
        self.studies: dict[str, Document] = {}
        self.unmapped: list[str] = []  #: studies that a scan found and the mapping does not name
        self.missing: list[str] = []  #: studies that the mapping names and a scan did not find
        self.empty: list[str] = []  #: studies in which a scan found no image

    @classmethod
    def from_file(cls, path: str | PathLike[str]) -> "DatasetMetadata":
        """Read what `save` wrote. Raises ValueError for something else."""
        storage, name = place_of(path)
        try:
            written = json.loads(storage.read(name))
        except ValueError as error:
            raise ValueError(f"{path} is no JSON ({error}): write it anew, DatasetMetadata.from_directory(…).save(…)") from None
        if not isinstance(written, dict) or not isinstance(written.get("studies"), dict):
            raise ValueError(f"{path} is no metadata.json: it has no studies")
        made = cls()
        made.dataset_name, made.version = str(written.get("dataset_name", "")), str(written.get("version", VERSION))
        made.created = str(written.get("created", made.created))
        for name, study in written["studies"].items():
            _check_study(path, name, study)
            made.add_study(name, study["mode"], study["images"])
        return made

    @classmethod
    def from_directory(cls, data_dir: str | PathLike[str], mode_mapping: Mapping[str, str]) -> "DatasetMetadata":
        """Scan data_dir/raw/<study>/: NIfTI files, folders that hold DICOM files, single DICOM files (by suffix, or by what is in them).

        mode_mapping: `ct` or `mri` by study. Studies that it does not name are left out. These, those that only it knows, and those in
        which nothing is an image, are named in `unmapped`, `missing` and `empty`, and in warnings. Raises FileNotFoundError without a raw
        folder, ValueError where two images would be written to one file.
        """
        raw = Path(data_dir, "raw")
        if not raw.is_dir():
            raise FileNotFoundError(f"{raw} does not exist: put images into {raw}/<study>/")
        made = cls()
        made.dataset_name = Path(data_dir).resolve().name
        for folder in sorted(path for path in raw.iterdir() if path.is_dir() and not path.name.startswith(".")):
            if folder.name not in mode_mapping:
                made.unmapped.append(folder.name)
                continue
            mode = mode_of(mode_mapping[folder.name])
            found = list(_images_in(folder))
            _check_names(folder, mode, found)
            made.add_study(folder.name, mode, {image: {"filename": name, "processed": False} for image, name in found})
        made.missing = sorted(name for name in mode_mapping if name not in made.studies)
        made.empty = [name for name, study in made.studies.items() if not study["images"]]
        for studies, what in (
            (made.unmapped, "are not in mode_mapping and were left out"),
            (made.missing, f"of mode_mapping have no folder in {raw}"),
            (made.empty, "hold no image (NIfTI, or DICOM in files or folders)"),
        ):
            if studies:
                log.warning("%d studies %s: %s", len(studies), what, ", ".join(studies))
        return made

    def add_study(self, name: str, mode: str, images: Mapping[str, Any]) -> None:
        """Add or replace a study. images: {image: {filename, processed}}, or {image: filename}."""
        whole = {
            image: {"filename": said, "processed": False} if isinstance(said, str) else {"processed": False, **said}
            for image, said in images.items()
        }
        self.studies[name] = {"mode": mode_of(mode), "images": whole}

    def get_study(self, name: str) -> Document | None:
        """A study by name, or None."""
        return self.studies.get(name)

    def get_all_studies(self) -> list[str]:
        """The names of all studies."""
        return list(self.studies)

    def get_studies_by_mode(self, mode: str) -> list[str]:
        """The names of the studies of a mode."""
        wanted = mode_of(mode)
        return [name for name, study in self.studies.items() if study["mode"] == wanted]

    def mark_processed(self, study: str, image: str) -> None:
        """Say that an image is in the cache. Raises KeyError for one that is not known."""
        self.studies[study]["images"][image]["processed"] = True

    def save(self, path: str | PathLike[str]) -> None:
        """Write metadata.json, all or nothing."""
        said = {
            "dataset_name": self.dataset_name,
            "version": self.version,
            "created": self.created,
            "num_studies": len(self.studies),
            "studies": self.studies,
        }
        storage, name = place_of(path)
        storage.write(name, as_json(said))

    def __len__(self) -> int:
        return len(self.studies)


def _check_study(path: str | PathLike[str], name: str, study: Any) -> None:
    """Refuse what `save` does not write. Names become names of files, and must not lead elsewhere."""
    images = study.get("images") if isinstance(study, dict) else None
    if not isinstance(images, dict) or study.get("mode") not in MODES:
        raise ValueError(f'{path}: study {name} has no mode (ct or mri) or no images, as {{"mode": "mri", "images": {{…}}}}')
    for image, said in images.items():
        if not isinstance(said, dict) or not isinstance(said.get("filename"), str):
            raise ValueError(f'{path}: image {name}/{image} has no filename, as {{"filename": "{image}.nii.gz", "processed": false}}')
    for plain in (name, *images):
        if "/" in plain or plain in {"", ".", ".."}:
            raise ValueError(f"{path}: {plain!r} is no name of a study or image: it would be written elsewhere")


def _images_in(folder: Path) -> Iterator[tuple[str, str]]:
    """Image and file (or folder) name, in the order of names."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            if has_dicom(path):
                yield path.name, path.name
            continue
        if not path.is_file():
            continue
        suffix = next((suffix for suffix in (*NIFTI, *SINGLE) if path.name.lower().endswith(suffix)), "")
        if suffix or is_image(path):
            yield path.name[: len(path.name) - len(suffix)], path.name


def _check_names(folder: Path, mode: str, images: list[tuple[str, str]]) -> None:
    """Refuse images whose files in the cache would be one: T1.nii and T1.dcm, or T1 and T1_mask."""
    owners: dict[str, list[str]] = defaultdict(list)
    for image, name in images:
        for ending in [*(f"{end}.pt" for end in (*endings(mode), MASK)), METADATA]:
            owners[image + ending].append(name)
    clashes = sorted({" and ".join(names) for names in owners.values() if len(names) > 1})
    if clashes:
        raise ValueError(f"{folder}: {'; '.join(clashes)} would be written to the same files of the cache. Rename one of each.")
