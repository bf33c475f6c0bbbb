"""Tokens of a tag become flags, by the tables of `tag-vocabulary.yaml`.

ImageType (0008,0008), ScanningSequence (0018,0020), SequenceVariant (0018,0021), ScanOptions (0018,0022) and enumerated attributes are
read token by token; a row may ask for several tokens together ("QMAP & T1 & !T2"). Sequence names are read by their anchored beginning.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gyrus.classifier.core.facts import Condition, Index, holds

Rows = Mapping[str, Sequence[str]]
"""Flag → tokens, any of which sets it."""

FIRST_ROLE = 2
"""ImageType values from the third on say what the image is; before them stand ORIGINAL or DERIVED and PRIMARY or SECONDARY."""


@dataclass(frozen=True)
class TagTable:
    """One tag. `single`: token → flags that it sets alone. `asked`: token → local bit, for rows that ask for several tokens.

    closing: the end of a token ("~MAP") → flags that it sets.
    """

    single: Mapping[str, int]
    closing: Mapping[str, int]
    late: Mapping[str, int]
    asked: Mapping[str, int]
    joint: tuple[tuple[Condition, int], ...]

    @classmethod
    def of(cls, tag: str, rows: Rows, late: Rows, index: Index) -> "TagTable":
        tokens, joint = Index(), []
        single: dict[str, int] = {}
        closing: dict[str, int] = {}
        for flag, sources in rows.items():
            bit = index.bit(f"{tag}.{flag}")
            for source in sources:
                if " & " in source:
                    joint.append((tokens.condition(source), bit))
                elif source.startswith("~"):
                    closing[source[1:]] = closing.get(source[1:], 0) | bit
                else:
                    single[source] = single.get(source, 0) | bit
        late_bits: dict[str, int] = {}
        for flag, sources in late.items():
            for source in sources:
                late_bits[source] = late_bits.get(source, 0) | index.bit(f"{tag}.{flag}")
        return cls(single, closing, late_bits, tokens.bits, tuple(joint))

    def facts(self, tokens: Sequence[str]) -> int:
        found = asked = 0
        for token in tokens:
            found |= self.single.get(token, 0)
            asked |= self.asked.get(token, 0)
            for ending, bit in self.closing.items():
                found |= bit if token.endswith(ending) else 0
        if self.late:
            for token in tokens[FIRST_ROLE:]:
                found |= self.late.get(token, 0)
        if asked:
            for condition, bit in self.joint:
                if holds(condition, asked):
                    found |= bit
        return found


STEM = re.compile(r"([a-z_]+?)([123])d([0-9]{0,2})(.*)")
PREFIXED = re.compile(r"^(?:wip_|[*%_# ]|psd/|bc_|bruker:)+")
ENDINGS = {"_t#": re.compile(r"_t[0-9]{2}"), "_v#": re.compile(r"_v[0-9]{2}"), "_ts": re.compile(r"_ts(?![a-z])")}
FILE_NAME = re.compile(r"[a-z]+(?:[23]d)?(?:_[a-z]{2,})+[a-z0-9_]*")
SHORTEST = 2


@dataclass(frozen=True)
class NameTable:
    """One maker's sequences. `whole`: stems before the dimension ("tfl" of tfl3d1); `opening`: beginnings of names ("ep_b~")."""

    whole: Mapping[str, int]
    opening: Mapping[str, int]
    endings: Mapping[str, int]

    @classmethod
    def of(cls, rows: Rows, endings: Rows, index: Index) -> "NameTable":
        whole: dict[str, int] = {}
        opening: dict[str, int] = {}
        for flag, stems in rows.items():
            for stem in stems:
                table = opening if stem.endswith("~") else whole
                table[stem.rstrip("~")] = table.get(stem.rstrip("~"), 0) | index.bit(f"sequence_name.{flag}")
        ends = {end: index.bit(f"sequence_name.{flag}") for flag, found in endings.items() for end in found}
        return cls(whole, opening, ends)

    def facts(self, name: str) -> int:
        """The flags of a name in lower case, without folders and marks in front of it.

        Laboratories put their own initials before a name: where the whole says nothing, what follows the first underscore may.
        """
        match = STEM.match(name)
        stem = match[1] if match else name
        found = self.whole.get(stem, 0) or self.whole.get(name, 0) or self._longest(name)
        if not found and "_" in name:
            return self.facts(name.partition("_")[2])
        if match:
            for end, bit in self.endings.items():
                if ENDINGS[end].search(match[4]):
                    found |= bit
        return found

    def _longest(self, name: str) -> int:
        for length in range(len(name), SHORTEST - 1, -1):
            if name[:length] in self.opening:
                return self.opening[name[:length]]
        return 0


def bare(name: str) -> str:
    """A sequence name without folders and without the signs and words that only mark it."""
    return PREFIXED.sub("", name.lower().strip().replace("\\", "/").rpartition("/")[2])


def is_file_name(name: str) -> bool:
    """Whether a Siemens name is a file's: words behind an underscore, and no number of contrasts ("ep2d_diff", "gre_field_mapping")."""
    return FILE_NAME.fullmatch(name) is not None


def dimension(name: str) -> tuple[int, int]:
    """Dimensions and number of contrasts that a Siemens name states ("se2d16": 2 and 16); 0 where it does not."""
    match = STEM.match(name)
    return (int(match[2]), int(match[3] or 0)) if match else (0, 0)


def tables(tag: str, rows: Mapping[str, Rows], index: Index) -> dict[str, TagTable]:
    """One table for each enumerated attribute."""
    return {name: TagTable.of(tag, flags, {}, index) for name, flags in rows.items()}
