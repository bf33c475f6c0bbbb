"""What one line of the table of fields says."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["subject", "study", "series", "acquisition", "image"]
Kind = Literal["text", "texts", "number", "numbers", "integer", "date", "time", "date_time", "age", "uid"]


@dataclass(frozen=True, slots=True)
class Private:
    """A private element: (group, creator, low byte), the VR to decode it with, and the name of the source it counts as."""

    group: int
    creator: str
    element: int
    vr: str
    source: str


@dataclass(frozen=True, slots=True)
class Field:
    """One fact of a header. `phi`: it identifies a person and stays behind the phi scope."""

    name: str
    keyword: str
    tag: int
    level: Level
    kind: Kind = "text"
    unit: str = ""
    nested: tuple[tuple[int, ...], ...] = ()
    private: tuple[Private, ...] = ()
    phi: bool = False
