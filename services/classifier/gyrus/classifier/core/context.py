"""One stack, read once: everything that the detectors may ask about a fingerprint, worked out when first asked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from gyrus.classifier.core import agent, fields
from gyrus.classifier.core.flags import Reading
from gyrus.classifier.core.numbers import numbers_of
from gyrus.classifier.core.reader import Reader, Texts, modality_of, vendor_of
from gyrus.classifier.core.text import Line, lines_of, parted, readings, search_blob

NAMED_FREELY = ("BRUKER", "OTHER", "")
"""Makers, or none, whose sequences bear free names: these are read as words too."""


class Flags(Mapping[str, bool]):
    """The flags of one parser, or the unified ones, by name: true where the stack has them."""

    def __init__(self, bits: Mapping[str, int], facts: int) -> None:
        self._bits, self._facts = bits, facts

    def __getitem__(self, name: str) -> bool:
        return bool(self._facts & self._bits[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._bits)

    def __len__(self) -> int:
        return len(self._bits)


@dataclass(frozen=True)
class ClassificationContext:
    """A fingerprint and what follows from it. Equal fingerprints give equal contexts; nothing outside is looked at."""

    fingerprint: Mapping[str, Any]
    """As `fields.told` reads it."""
    reader: Reader = field(repr=False, compare=False)
    lent: int = 0
    """Facts that siblings lend, as `Reader.traits` gives them."""
    concluded: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What a ruleset concluded from this context before, for its own use."""

    @classmethod
    def from_fingerprint(cls, fingerprint: Mapping[str, Any], reader: Reader | None = None) -> "ClassificationContext":
        """fingerprint: raw keys or the seed's. reader: that of a ruleset; by default that of the packaged rules."""
        if reader is None:
            from gyrus.classifier.core.loader import packaged_rules  # noqa: PLC0415 - the loader builds readers

            reader = packaged_rules().reader
        return cls(fields.told(fingerprint), reader)

    def beside(self, lent: int) -> "ClassificationContext":
        """The same stack beside siblings that lend these facts."""
        if lent == self.lent:
            return self
        if lent not in self._beside:
            context = ClassificationContext(self.fingerprint, self.reader, lent)
            vars(context).update({"raw": self.raw, "measured": self.measured})
            self._beside[lent] = context
        return self._beside[lent]

    @cached_property
    def _beside(self) -> dict[int, "ClassificationContext"]:
        return {}

    @cached_property
    def raw(self) -> int:
        return self.reader.raw(self.fingerprint, self.manufacturer, self._texts, self.measured)

    @cached_property
    def reading(self) -> Reading:
        return self.reader.unify(self.raw, self.lent)

    @cached_property
    def acquisition(self) -> tuple[str, ...]:
        """What the images of one acquisition have in common: protocol, sequence, repetition time (ms) and flip angle (°)."""
        name = self._text("protocol_name") or self._text("series_description")
        sequence = self._text("sequence_name") or self._text("pulse_sequence_name") or self._text("ge_pulse_sequence")
        numbers = (f"{self.measured.get(number, 0):.0f}" for number in ("repetition_time", "flip_angle"))
        return (name.lower(), sequence.lower(), *numbers)

    @property
    def parsed_image_type(self) -> Flags:
        return self._flags("image_type")

    @property
    def parsed_scanning_sequence(self) -> Flags:
        return self._flags("scanning_sequence")

    @property
    def parsed_sequence_variant(self) -> Flags:
        return self._flags("sequence_variant")

    @property
    def parsed_scan_options(self) -> Flags:
        return self._flags("scan_options")

    @property
    def parsed_sequence_name(self) -> Flags:
        return self._flags("sequence_name")

    @property
    def parsed_attributes(self) -> Flags:
        return self._flags("attributes")

    @property
    def unified_flags(self) -> Flags:
        return Flags({flag.name: flag.bit for flag in self.reader.unified.flags}, self.reading.facts)

    def _flags(self, tag: str) -> Flags:
        bits = self.reader.index.bits
        return Flags({name.partition(".")[2]: bit for name, bit in bits.items() if name.startswith(f"{tag}.")}, self.reading.facts)

    def has(self, fact: str) -> bool:
        """Whether a fact holds, by its name: a unified flag, or any other that a rule asks for."""
        return bool(self.reading.facts & self.reader.index.bits.get(fact, 0))

    @cached_property
    def manufacturer(self) -> str:
        return self.reader.manufacturer(self.fingerprint)

    @property
    def vendor(self) -> str:
        """SIEMENS, GE, PHILIPS or OTHER, from (0008,0070)."""
        return vendor_of(self.manufacturer)

    @cached_property
    def modality(self) -> str:
        return modality_of(self.fingerprint)

    @property
    def tracer(self) -> str | None:
        """The one name of the radiopharmaceutical, or of the tracer that the description names; one that is not known as it is written."""
        written, find = self._text("radiopharmaceutical"), self.reader.vocabulary.tracers.find
        return find(written) or written or find(self._text("series_description"))

    @cached_property
    def measured(self) -> dict[str, float]:
        """Numbers of the header, by name: ms, degrees, tesla, s/mm²; those that were not measured are not there."""
        return numbers_of(self.fingerprint)

    @cached_property
    def text_search_blob(self) -> str:
        """Normalised words of description and protocol; a given blob is used as given."""
        given = self.fingerprint.get("text_search_blob")
        return str(given) if given else search_blob(self._text("series_description"), self._text("protocol_name"))

    @cached_property
    def contrast_search_blob(self) -> str | None:
        """Contrast agent, route, dose … as `agent:X route:Y`; None where no tag says anything."""
        return agent.blob(self.fingerprint)

    @cached_property
    def _texts(self) -> Texts:
        """The words that count as evidence. GE names the whole exam, not the series, in ProtocolName (0018,1030)."""
        given = self.fingerprint.get("text_search_blob")
        if given:
            lines = lines_of(str(given))
            return {"text": lines, "description": lines, "comment": self._comments}
        description, protocol = self._text("series_description"), self._text("protocol_name")
        if self.manufacturer in NAMED_FREELY:
            protocol = f"{protocol} {self._text('sequence_name')}".strip()
        words = parted(description)
        alone = both = readings(words or parted(protocol))
        if description and protocol and protocol != description and self.vendor != "GE":
            both = readings([*words, *parted(protocol)])
        return {"text": both, "description": alone, "comment": self._comments}

    @property
    def lines(self) -> list[Line]:
        """The words of description and protocol: as written, then in the readings that cut them."""
        return self._texts["text"]

    @property
    def _comments(self) -> list[Line]:
        comments = self._text("image_comments")
        return lines_of(comments) if comments else []

    def _text(self, name: str) -> str:
        return fields.text(self.fingerprint, name)

    def should_exclude(self) -> bool:
        """True for what is no acquired or computed image: screenshots, error images, reports, workstation captures and reformats.

        Maps of a workstation (GE FuncTool writes DERIVED, SECONDARY, COMBINED; RAPID names its maps) are images.
        """
        return self.has("is_excluded")

    def has_any_diffusion_construct(self) -> bool:
        return self.has("is_diffusion_derived")

    def has_any_synthetic(self) -> bool:
        return self.has("is_synthetic")
