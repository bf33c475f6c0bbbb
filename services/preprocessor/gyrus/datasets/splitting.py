"""Parts of a data set – train, val, test – such that no subject is in two of them, and that stay when studies come."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Final

from gyrus.data.layout import as_json
from gyrus.data.storage import write_whole
from gyrus.shared.ids import digest

PARTS: Final[Mapping[str, float]] = {"train": 0.8, "val": 0.1, "test": 0.1}


@dataclass(frozen=True)
class Split:
    """Which part each subject belongs to, and the studies of each part: split["train"]."""

    parts: Mapping[str, float]  #: the shares that were wanted
    seed: int
    part_of: Mapping[str, str]  #: by subject
    studies: Mapping[str, tuple[str, ...]]  #: by part

    def __getitem__(self, part: str) -> tuple[str, ...]:
        return self.studies[part]


def split_by_subject(
    subjects: Mapping[str, str], parts: Mapping[str, float] = PARTS, seed: int = 0, path: str | PathLike[str] | None = None
) -> Split:
    """Deal subjects to parts by chance, so that each part gets its share of them.

    subjects: the subject of each study (`ImageDataset.subjects()`, or a map of your own). path: where the split is kept; subjects that are
    in it already stay where they are. The same subjects, shares and seed give the same split, in whatever order they come. Raises
    ValueError for shares that are none, for fewer subjects than parts, and for a kept split of other parts or another seed.
    """
    shares = {part: share / sum(parts.values()) for part, share in parts.items()} if parts and min(parts.values()) > 0 else {}
    if not shares:
        raise ValueError(f"parts are {dict(parts)}: names with shares above 0, e.g. {dict(PARTS)}")
    known = _kept(Path(path), parts, seed) if path is not None and Path(path).exists() else {}
    wanted = set(subjects.values())
    if len(wanted | set(known)) < len(shares):
        raise ValueError(f"{len(wanted)} subjects do not fill {len(shares)} parts; split fewer parts")
    part_of = _dealt(wanted, shares, seed, known)
    studies = {part: tuple(sorted(study for study, subject in subjects.items() if part_of[subject] == part)) for part in shares}
    split = Split(dict(parts), seed, part_of, studies)
    if path is not None:
        write_whole(Path(path), as_json({"parts": split.parts, "seed": seed, "part_of": part_of, "studies": studies}))
    return split


def _dealt(subjects: set[str], shares: Mapping[str, float], seed: int, known: Mapping[str, str]) -> dict[str, str]:
    """Each new subject, in an order that only the seed decides, goes where most is missing."""
    part_of = dict(known)
    counts = {part: sum(one == part for one in known.values()) for part in shares}
    total = len(subjects | set(known))
    for subject in sorted(subjects - set(known), key=lambda subject: (digest([seed, subject], 16), subject)):
        part = max(shares, key=lambda part: (counts[part] == 0, shares[part] * total - counts[part]))
        part_of[subject] = part
        counts[part] += 1
    return part_of


def _kept(path: Path, parts: Mapping[str, float], seed: int) -> dict[str, str]:
    try:
        said = json.loads(path.read_text())
        said["parts"], said["seed"], said["part_of"]
    except (ValueError, LookupError, TypeError):
        raise ValueError(f"{path} holds no split: delete it, or keep the split in another file") from None
    if (said["parts"], said["seed"]) != (dict(parts), seed):
        raise ValueError(
            f"{path} was split as {said['parts']} with seed {said['seed']}; ask for that, or keep the new split in another file"
        )
    return dict(said["part_of"])
