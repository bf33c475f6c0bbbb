"""From a fingerprint to its facts: five tags, attributes, sequence names, numbers, words, and the unified flags of all of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gyrus.classifier.core import agent, fields, numbers
from gyrus.classifier.core.facts import WORDS, Condition, Index, holds
from gyrus.classifier.core.flags import Reading, UnifiedFlags
from gyrus.classifier.core.lexicon import Lexicon
from gyrus.classifier.core.tags import NameTable, TagTable, bare, dimension, is_file_name
from gyrus.classifier.core.text import Line, words_of
from gyrus.classifier.core.tracers import Tracers

TAGS = {"image_type": "\\/,", "scanning_sequence": "\\/,_ ", "sequence_variant": "\\/,_ ", "scan_options": "\\/,"}
"""Tag → what parts its values; several writers replace the backslash."""
NAME_FIELDS = (
    "sequence_name",
    "pulse_sequence_name",
    "siemens_sequence_file",
    "ge_pulse_sequence",
    "ge_sequence_family",
    "philips_scan_technique",
)
OTHER_FIELDS = (
    "modality",
    "manufacturer",
    "sop_class_name",
    "kvp",
    "convolution_kernel",
    "radiopharmaceutical",
    "series_description",
    "protocol_name",
    "image_comments",
    "text_search_blob",
    "contrast_search_blob",
)
MAKER_OF_FIELD = {
    "siemens_sequence_file": "siemens_file",
    "ge_pulse_sequence": "ge",
    "ge_sequence_family": "ge",
    "philips_scan_technique": "philips",
}
"""Fields that only one maker writes; the others are read by the maker's own table, or by all where the maker is not known."""
VENDORS = ("SIEMENS", "GE", "PHILIPS")


@dataclass(frozen=True)
class Vocabulary:
    """What `tag-vocabulary.yaml` says, ready to be looked up."""

    tags: Mapping[str, TagTable]
    attributes: Mapping[str, TagTable]
    names: Mapping[str, NameTable]
    combined: UnifiedFlags
    traits: tuple[tuple[Condition, int], ...]
    manufacturers: Mapping[str, str]
    tracers: Tracers


@dataclass(frozen=True)
class Reader:
    """Turns fingerprints into facts. `index` knows every fact that a flag or a rule asks for; it no longer grows."""

    vocabulary: Vocabulary
    unified: UnifiedFlags
    index: Index

    @cached_property
    def lexicons(self) -> dict[str, Lexicon]:
        return {where: Lexicon.of(self.index.words(where)) for where in WORDS}

    @cached_property
    def scales(self) -> dict[str, numbers.Scale]:
        return {name: numbers.Scale.of(comparisons) for name, comparisons in self.index.thresholds().items()}

    @cached_property
    def asked(self) -> tuple[str, ...]:
        """The fields of a fingerprint that are read; no other changes a verdict."""
        names = {*TAGS, *NAME_FIELDS, *self.vocabulary.attributes, *numbers.NUMBERS, *fields.CONTRAST_FIELDS.values(), *OTHER_FIELDS}
        return tuple(sorted(names | {fields.SEED_NAMES[name] for name in names if name in fields.SEED_NAMES}))

    def key(self, fingerprint: Mapping[str, Any]) -> str:
        """Equal keys, equal readings: the fields that are read, with their types, since `1` and `true` are not read alike."""
        return repr({name: fingerprint[name] for name in self.asked if name in fingerprint})

    @cached_property
    def soft(self) -> tuple[int, int]:
        """The facts that are words, and those that are comparisons of numbers."""
        words = sum(bit for where in WORDS for bit in self.index.words(where).values())
        return words, sum(bit for asked in self.index.thresholds().values() for _, _, bit in asked)

    @cached_property
    def named(self) -> int:
        """The facts that a sequence's name gives when it is known; its dimensions say nothing of that."""
        layout = ("sequence_name.is_2d", "sequence_name.is_3d")
        return sum(bit for name, bit in self.index.bits.items() if name.startswith("sequence_name.") and name not in layout)

    @cached_property
    def marks(self) -> dict[str, int]:
        """Facts that are set by their name (`vendor=GE`, `sequence_name.is_3d`)."""
        return self.index.bits

    def raw(self, fingerprint: Mapping[str, Any], maker: str, texts: "Texts", measured: Mapping[str, float]) -> int:
        """What tags, numbers and words say. maker: manufacturer of the fingerprint. texts: see Texts. measured: numbers_of it."""
        facts = (
            self._mark("manufacturer", maker) | self._mark("vendor", vendor_of(maker)) | self._mark("modality", modality_of(fingerprint))
        )
        for tag, separators in TAGS.items():
            facts |= self.vocabulary.tags[tag].facts(fields.values(fingerprint, tag, separators))
        for name in self.vocabulary.attributes.keys() & fingerprint.keys():
            facts |= self.vocabulary.attributes[name].facts(fields.values(fingerprint, name))
        facts |= self._names(fingerprint, maker)
        if given := agent.given(fingerprint, measured):
            facts |= self._mark("agent", given)
        for name, value in measured.items():
            if scale := self.scales.get(name):
                facts |= scale.at(value)
        for where, lines in texts.items():
            if lines:
                facts |= self.lexicons[where].facts(lines)
        words, counted = self.soft
        return self.vocabulary.combined.read(Reading(facts, words, counted)).facts

    def unify(self, raw: int, lent: int) -> Reading:
        """All facts: the raw ones, what siblings lend, and the unified flags of both."""
        return self.unified.read(Reading(raw | lent, *self.soft, lent))

    def traits(self, facts: int) -> int:
        """What a stack lends to the other images of its acquisition."""
        lent = 0
        for condition, bit in self.vocabulary.traits:
            if holds(condition, facts):
                lent |= bit
        return lent

    def _mark(self, name: str, value: str) -> int:
        return self.marks.get(f"{name}={value}", 0)

    def manufacturer(self, fingerprint: Mapping[str, Any]) -> str:
        """SIEMENS, GE, PHILIPS, CANON, UIH, HITACHI, BRUKER …; OTHER for another name, empty for none. A whole word of (0008,0070)."""
        written = fields.text(fingerprint, "manufacturer")
        known = self.vocabulary.manufacturers
        if not written or written.lower() in known:
            return known.get(written.lower(), "")
        return next((known[word] for word in words_of(written) if word in known), "OTHER")

    def _names(self, fingerprint: Mapping[str, Any], maker: str) -> int:
        facts = 0
        for name_field in (*NAME_FIELDS, "scanning_sequence") if maker == "BRUKER" else NAME_FIELDS:
            name = fields.text(fingerprint, name_field)
            if not name:
                continue
            own = MAKER_OF_FIELD.get(name_field) or ("siemens_file" if "seq%" in name.lower() else maker.lower())
            stem = bare(name)
            for table in self._tables(own, stem):
                facts |= table.facts(stem)
            if own != "siemens_file":
                facts |= self._dimension(stem, maker)
        return facts

    def _tables(self, own: str, stem: str) -> Iterable[NameTable]:
        """The maker's table, or all; a Siemens name that is made like a file's ("ep2d_diff") is looked up as one: XA writes either."""
        names = self.vocabulary.names
        if own == "siemens" and is_file_name(stem):
            return names["siemens_file"], names[own]
        return (names[own],) if own in names else names.values()

    def _dimension(self, stem: str, maker: str) -> int:
        """What a name says of its layout; only Siemens counts contrasts there, Canon writes the echo time ("SE2D12")."""
        dimensions, contrasts = dimension(stem)
        contrasts = contrasts if maker in ("SIEMENS", "") else 0
        facts = self.marks.get(f"sequence_name.is_{dimensions}d", 0) if dimensions else 0
        facts |= self.marks.get("sequence_name.has_two_contrasts", 0) if contrasts == 2 else 0
        return facts | (self.marks.get("sequence_name.has_several_contrasts", 0) if contrasts > 1 else 0)


Texts = Mapping[str, list[Line]]
"""For each of WORDS: the lines of its texts."""


def vendor_of(manufacturer: str) -> str:
    return manufacturer if manufacturer in VENDORS else "OTHER"


def modality_of(fingerprint: Mapping[str, Any]) -> str:
    """Upper case; a header without one is taken for MR unless its SOP class or other values speak of CT or PET."""
    named = fields.text(fingerprint, "modality").upper()
    if named:
        return named
    sop_class = fields.text(fingerprint, "sop_class_name").upper()
    if sop_class.startswith(("CT ", "ENHANCED CT")) or fingerprint.get("kvp"):
        return "CT"
    return "PT" if "POSITRON" in sop_class or fingerprint.get("radiopharmaceutical") else "MR"
