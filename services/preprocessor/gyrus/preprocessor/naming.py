"""Names of outputs: readable, and never the same for two makings. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from gyrus.shared.ids import digest

_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_UNSAFE = re.compile(r"[^A-Za-z0-9*]+")


def image_name(series_number: int | None, modality: str, label: Mapping[str, Any], made_of: list[Any]) -> str:
    """Series number, what it is, and 8 digits of what it was made of (stack, version, plan, n): `s003-T1w-MPRAGE_1a2b3c4d`.

    Where nothing is known of it, its modality stands for what it is.
    """
    words = [label.get("base"), label.get("technique"), *label.get("modifier", ()), *label.get("construct", ())]
    said = "-".join(_UNSAFE.sub("", str(word)).replace("*", "star") for word in words if word) or modality
    number = f"s{series_number:03d}" if isinstance(series_number, int) and series_number >= 0 else "s---"
    return f"{number}-{said}_{digest(made_of, 4)}"


def study_folder(study_uid: str) -> str:
    """The folder of a study's outputs: its UID, or a digest of what is no UID – a header must not choose where files go (PS3.5 §9.1)."""
    return study_uid if _UID.fullmatch(study_uid) and len(study_uid) <= 64 else f"u-{digest(study_uid, 8)}"


def slices(files: list[Mapping[str, Any]], key: str, paths: list[str]) -> list[tuple[str, int | None]]:
    """What to read of a stack: path and frame (from 1; None: the file is one image), of files that may feed several stacks."""
    wanted: list[tuple[str, int | None]] = []
    for file, path in zip(files, paths, strict=True):
        ranges = next(share["frames"] for share in file["stacks"] if share["key"] == key)
        wanted += [(path, frame) for frame in _frames(ranges)] if ranges else [(path, None)]
    return wanted


def _frames(ranges: str) -> list[int]:
    """`1-3,7` as 1, 2, 3, 7."""
    frames: list[int] = []
    for part in ranges.split(","):
        first, _, last = part.partition("-")
        frames += range(int(first), int(last or first) + 1)
    return frames
