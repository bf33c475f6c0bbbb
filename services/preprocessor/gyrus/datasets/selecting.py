"""What the services made, chosen by what it is: the gateway says which volumes there are, the files are read where they lie."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, Final, Literal

from gyrus.data.layout import MASK, METADATA, as_json
from gyrus.data.modes import mode_of
from gyrus.data.storage import write_whole
from gyrus.datasets.gateway import Gateway
from gyrus.datasets.listing import ImageRef
from gyrus.shared.documents import LABELS

StudyId = Literal["study", "accession", "visit"]
MODALITIES: Final = ("MR", "CT")
log = logging.getLogger("gyrus.datasets")

STUDY_IDS: Final = ("study", "accession", "visit")
Document = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which stacks: all that is said must hold."""

    cohort: str
    modality: str | None = None  #: MR or CT
    axes: Mapping[str, Any] = field(default_factory=dict)
    """By axis (base, technique, modifier, …, contrast, body_part, intent) a value or several, any of which will do; None: it has none."""
    complete: bool = False  #: only stacks that nothing is missing of
    probability: Mapping[str, float] = field(default_factory=dict)  #: by axis, at least; an axis whose probability is not known has none

    def __post_init__(self) -> None:
        if strangers := sorted({*self.axes, *self.probability} - set(LABELS)):
            raise ValueError(f"there is no axis {', '.join(strangers)}; axes are {', '.join(LABELS)}")
        if not self.cohort:
            raise ValueError("cohort is empty: name one, since subjects and studies are told apart within one only")
        if wrong := {axis: least for axis, least in self.probability.items() if not 0 <= least <= 1}:
            raise ValueError(f"probability is {wrong}: by axis a number from 0 to 1")
        if self.modality not in {None, *MODALITIES}:
            raise ValueError(f"modality is {self.modality!r}; there are volumes of {' and '.join(MODALITIES)}")

    def holds(self, stack: Mapping[str, Any]) -> bool:
        """Whether a stack, as the gateway shows it, is wanted."""
        if self.modality is not None and stack["modality"] != self.modality:
            return False
        if self.complete and (stack["completeness"] or {}).get("verdict") != "complete":
            return False
        if any((stack["probability"].get(axis) or 0.0) < least for axis, least in self.probability.items()):
            return False
        return all(_is_one_of(stack[axis], wanted) for axis, wanted in self.axes.items())


@dataclass(frozen=True)
class Selection:
    """Volumes that were found, and by which question. `save` keeps it, so that a training can be repeated without the gateway."""

    images: tuple[ImageRef, ...]
    question: Mapping[str, Any]

    def save(self, path: str | PathLike[str]) -> None:
        """Write it as JSON, all or nothing. Label ids are in it: accession numbers, if they were asked for."""
        images = [{**asdict(ref), "folder": str(ref.folder), "source": None} for ref in self.images]
        write_whole(Path(path), as_json({"question": self.question, "images": images}))

    @classmethod
    def load(cls, path: str | PathLike[str]) -> "Selection":
        """Read what `save` wrote. Raises ValueError for something else."""
        try:
            said = json.loads(Path(path).read_text())
            return cls(tuple(ImageRef(**{**ref, "folder": Path(ref["folder"])}) for ref in said["images"]), said["question"])
        except (ValueError, LookupError, TypeError):
            raise ValueError(f"{path} holds no selection; `select(…).save(…)` writes one") from None


def select(processed: str | PathLike[str], wanted: Wanted, *, url: str, key: str, study_id: StudyId = "study") -> Selection:
    """Ask a gateway which volumes are wanted; their files lie below `processed`, as this machine sees it.

    study_id: what `study_id` in a file of labels is: `study` the StudyInstanceUID, `accession` the accession number (identifying: the
    gateway audits it), `visit` the subject and the number of the visit, like P001/2. Raises Away, Misuse, ValueError,
    and FileNotFoundError where the files are not below `processed`.
    """
    if study_id not in STUDY_IDS:
        raise ValueError(f"study_id {study_id!r} is none of {', '.join(STUDY_IDS)}")
    gateway = Gateway(url, key)
    made = [stack for stack in gateway.pages("stacks", cohort=wanted.cohort) if _is_made(stack)]
    stacks = [stack for stack in made if wanted.holds(stack)]
    if not stacks:
        log.warning(
            "none of %d stacks with volumes of cohort %s is wanted: look at its name, and at words of axes", len(made), wanted.cohort
        )
    studies = {study["id"]: study for study in _studies(gateway, wanted.cohort, study_id)}
    images = tuple(
        _image(Path(processed, metadata).absolute(), stack, studies.get(stack["study"], {}), study_id)
        for stack in stacks
        for metadata in _with_tensors(stack["volume"]["outputs"])
    )
    if images and not any((ref.folder / f"{ref.image}{METADATA}").is_file() for ref in images):
        raise FileNotFoundError(f"none of {len(images)} volumes is below {processed}: it is the folder of GYRUS_PROCESSED, seen from here")
    return Selection(images, {**asdict(wanted), "study_id": study_id})


def _studies(gateway: Gateway, cohort: str, study_id: str) -> Iterator[Document]:
    if study_id != "study":
        yield from gateway.pages("studies", cohort=cohort, phi="true" if study_id == "accession" else None)


def _is_made(stack: Mapping[str, Any]) -> bool:
    volume = stack["volume"]
    return bool(volume and not volume["refused"] and volume["outputs"])


def _with_tensors(outputs: Sequence[str]) -> list[str]:
    """The metadata of each image that has tensors: one, or of a run one a volume, and not the run's own list."""
    images = (name.removesuffix(METADATA) for name in sorted(outputs) if name.endswith(METADATA))
    return [f"{image}{METADATA}" for image in images if f"{image}{MASK}.pt" in outputs]


def _image(metadata: Path, stack: Mapping[str, Any], study: Mapping[str, Any], study_id: str) -> ImageRef:
    uid, subject = (stack[level].split("/", 1)[1] for level in ("study", "subject"))
    return ImageRef(
        study=uid,
        image=metadata.name.removesuffix(METADATA),
        mode=mode_of(stack["modality"]),
        folder=metadata.parent,
        subject=subject,
        label_id=_label_id(subject, study, study_id) if study_id != "study" else "",
    )


def _label_id(subject: str, study: Mapping[str, Any], study_id: str) -> str:
    """How labels name a study; a name that no label can bear where it has none."""
    if study_id == "visit":
        return f"{subject}/{(study.get('visit') or {}).get('number')}"
    return str(study.get("fields", {}).get("accession_number") or f"(no accession number: {study['id']})")


def _is_one_of(value: Any, wanted: Any) -> bool:
    """Whether a value, or one of several, is wanted; none of several is None."""
    has = set(value) or {None} if isinstance(value, list) else {value}
    return bool(has & (set(wanted) if isinstance(wanted, (list, tuple, set, frozenset)) else {wanted}))
