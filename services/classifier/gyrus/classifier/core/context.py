"""One stack, read once: everything that the detectors may ask about a fingerprint, worked out when first asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gyrus.classifier.core import fields, parsers, vocabulary
from gyrus.classifier.core.parsers import Flags
from gyrus.classifier.core.text import Words, search_blob, words_of

TEXT_FIELDS = ("series_description", "protocol_name")


@dataclass(frozen=True)
class ClassificationContext:
    """A fingerprint and what follows from it. Equal fingerprints give equal contexts; nothing outside is looked at."""

    fingerprint: Mapping[str, Any]

    @classmethod
    def from_fingerprint(cls, fingerprint: Mapping[str, Any]) -> "ClassificationContext":
        return cls(dict(fingerprint))

    @cached_property
    def parsed_image_type(self) -> Flags:
        return parsers.image_type(self.fingerprint)

    @cached_property
    def parsed_scanning_sequence(self) -> Flags:
        return parsers.scanning_sequence(self.fingerprint)

    @cached_property
    def parsed_sequence_variant(self) -> Flags:
        return parsers.sequence_variant(self.fingerprint)

    @cached_property
    def parsed_scan_options(self) -> Flags:
        return parsers.scan_options(self.fingerprint)

    @cached_property
    def parsed_sequence_name(self) -> Flags:
        return parsers.sequence_name(self.fingerprint)

    @cached_property
    def parsed_attributes(self) -> Flags:
        return parsers.attributes(self.fingerprint)

    @cached_property
    def unified_flags(self) -> Flags:
        return parsers.unify({name: getattr(self, f"parsed_{name}") for name in parsers.PARSERS})

    @cached_property
    def vendor(self) -> str:
        """SIEMENS, GE, PHILIPS or OTHER, from (0008,0070)."""
        words = words_of(fields.text(self.fingerprint, "manufacturer")).pieces
        names = {"siemens": "SIEMENS", "ge": "GE", "philips": "PHILIPS"}
        return next((names[word] for word in words if word in names), "OTHER")

    @cached_property
    def modality(self) -> str:
        """Upper case; a header without one is taken for MR only if it has MR physics."""
        named = fields.text(self.fingerprint, "modality").upper()
        return named or ("MR" if fields.text(self.fingerprint, "scanning_sequence") else "")

    @cached_property
    def text_search_blob(self) -> str:
        """Normalised words of description and protocol; a given blob is used as given."""
        given = self.fingerprint.get("text_search_blob")
        return str(given) if given else search_blob(*self._descriptions)

    @cached_property
    def contrast_search_blob(self) -> str | None:
        """Contrast agent, route, dose … as `agent:X route:Y`; None where no tag says anything."""
        given = self.fingerprint.get("contrast_search_blob")
        if given:
            return str(given)
        parts = ((label, fields.text(self.fingerprint, name).lower()) for label, name in fields.CONTRAST_FIELDS.items())
        return " ".join(f"{label}:{value}" for label, value in parts if value) or None

    @cached_property
    def words(self) -> Words:
        """The words of the descriptions in order, with repeats, so that phrases stay together.

        The blob's words count too: it may know a canonical name ("mprage" for "mpr").
        """
        lines = [words_of(text) for text in (*self._descriptions, self.text_search_blob)]
        return Words(tuple(w for line in lines for w in (*line.whole, "")), tuple(w for line in lines for w in (*line.pieces, "")))

    @property
    def _descriptions(self) -> tuple[str, ...]:
        if self.fingerprint.get("text_search_blob"):
            return ()
        texts = [text for text in (fields.text(self.fingerprint, name) for name in TEXT_FIELDS) if text]
        # GE names the whole exam, not the series, in ProtocolName (0018,1030).
        return tuple(texts[:1] if self.vendor == "GE" else texts)

    def number(self, name: str) -> float | None:
        return fields.number(self.fingerprint, name)

    @cached_property
    def body_part(self) -> str | None:
        return vocabulary.BODY_PARTS.get(self.body_part_examined.upper())

    @property
    def body_part_examined(self) -> str:
        return fields.text(self.fingerprint, "body_part_examined")

    def has_any_diffusion_construct(self) -> bool:
        return self.unified_flags["is_diffusion_derived"]

    def has_any_synthetic(self) -> bool:
        return self.unified_flags["is_synthetic"]

    def should_exclude(self) -> bool:
        """True for what is no acquired or computed image: screenshots, error images, reports, workstation captures.

        Maps of a workstation (GE writes DERIVED, SECONDARY, COMBINED) are images.
        """
        flags = self.unified_flags
        sop_class = fields.text(self.fingerprint, "sop_class_name").lower()
        if self.modality in vocabulary.NON_IMAGE_MODALITIES or any(part in sop_class for part in vocabulary.NON_IMAGE_CLASSES):
            return True
        if flags["is_screenshot"] or flags["is_error"] or flags["is_report"]:
            return True
        is_map = flags["is_combined"] or self.has_any_diffusion_construct()
        return flags["is_secondary"] and not flags["is_primary"] and not is_map
