"""The words of the sample cohort: who was scanned, on what, and what one row of the table of series says."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from pydicom.uid import UID, generate_uid

from gyrus.console.sample.geometry import Slab

Elements = dict[str, Any]  # keyword of the DICOM dictionary → value
PrivateElements = dict[tuple[int, str, int], tuple[str, Any]]  # group, creator, element → VR, value
Labels = dict[str, Any]  # axis → value; empty where no axis applies, without an axis on which the stacks of a series differ
Form = Literal["classic", "mosaic", "enhanced"]  # a file for each slice, for each volume, for the whole series

CT_PASS_MS = 32_000.0  # one pass of an axial head CT, which has no repetition time


@cache
def uid_of(*names: str) -> UID:
    """The same identifier for the same names, on every machine."""
    return generate_uid(entropy_srcs=["|".join(["gyrus sample cohort", *names])])


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A person who does not exist, and how this head differs from the template: size along (left, back, head), turns in degrees."""

    code: str
    elements: Elements
    scale: tuple[float, float, float]
    nod_deg: float
    lean_deg: float


@dataclass(frozen=True, kw_only=True)
class Study:
    """One visit to one scanner."""

    code: str
    subject: Subject
    vendor: str
    scanner: Elements
    elements: Elements

    @property
    def uid(self) -> UID:
        """StudyInstanceUID."""
        return uid_of(self.code)


@dataclass(frozen=True, kw_only=True)
class Volume:
    """One pass through all slices, and what differs in it from the series.

    For diffusion its b-value in s/mm² and its direction, a unit vector in patient axes. A volume with elements of its own is measured
    together with the first one (another echo, another part of the complex signal); one with a slab of its own lies elsewhere.
    """

    b_value: int | None = None
    direction: tuple[float, float, float] | None = None
    number: int = 0  # of the direction within its shell, from 1; 0 without direction
    slab: Slab | None = None
    contrast: str | None = None
    phase_ms: float = 0.0  # how long the phase that is shown evolved
    elements: Elements = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Series:
    """One row of the table: what the scanner was told, what the images show, and what a classifier should say."""

    study: Study
    number: int
    description: str
    started_s: int  # after midnight
    slab: Slab
    contrast: str
    elements: Elements
    expected: Labels
    private: PrivateElements = field(default_factory=dict)
    volumes: tuple[Volume, ...] = (Volume(),)
    form: Form = "classic"

    @property
    def images(self) -> int:
        """How many files it has."""
        return {"classic": len(self.volumes) * self.slab.slices, "mosaic": len(self.volumes), "enhanced": 1}[self.form]

    @property
    def modality(self) -> str:
        """Modality (0008,0060)."""
        return str(self.elements["Modality"])

    @property
    def uid(self) -> UID:
        """SeriesInstanceUID."""
        return uid_of(self.study.code, str(self.number))


@dataclass(frozen=True, kw_only=True)
class Image:
    """One slice of one volume of a series; indices from 0."""

    series: Series
    volume_index: int
    slice_index: int

    @property
    def volume(self) -> Volume:
        """The volume it belongs to."""
        return self.series.volumes[self.volume_index]

    @property
    def slab(self) -> Slab:
        """Where the slices of its volume lie."""
        return self.volume.slab or self.series.slab

    @property
    def contrast(self) -> str:
        """What it shows."""
        return self.volume.contrast or self.series.contrast

    @property
    def elements(self) -> Elements:
        """What the scanner was told."""
        return self.series.elements | self.volume.elements

    @property
    def number(self) -> int:
        """InstanceNumber (0020,0013): volume after volume, from 1."""
        return self.volume_index * (1 if self.series.form == "mosaic" else self.slab.slices) + self.slice_index + 1

    @property
    def uid(self) -> UID:
        """SOPInstanceUID."""
        return uid_of(self.series.study.code, str(self.series.number), str(self.number))

    @property
    def acquired_s(self) -> float:
        """Seconds after midnight: 3D and PET are measured at once, other slices one after the other within the repetition time."""
        repetition_s = float(self.elements.get("RepetitionTime", CT_PASS_MS)) / 1000
        is_at_once = self.series.modality == "PT" or self.elements.get("MRAcquisitionType") == "3D"
        passed = 0 if self.volume.elements else self.volume_index
        return self.series.started_s + (passed + (0.0 if is_at_once else self.slice_index / self.slab.slices)) * repetition_s
