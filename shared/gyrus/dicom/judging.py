"""The elements of one file become the parts of a header, or the reason why it is no image of a patient."""

from dataclasses import dataclass
from functools import lru_cache

from pydicom.uid import UID

from gyrus.dicom.announce import PixelsAt
from gyrus.dicom.classes import MODALITY_OF_CLASS, NOT_OF_A_PATIENT, SECONDARY_CAPTURE
from gyrus.dicom.derived import suspects
from gyrus.dicom.elements import MOST_ITEMS, SPECIFIC_CHARACTER_SET, Elements, Notes
from gyrus.dicom.errors import TooLarge
from gyrus.dicom.field import Table
from gyrus.dicom.frames import frame_values, is_enhanced, packed_frames, stacks_of, with_echo_ranks, with_makers_words
from gyrus.dicom.keys import stack_key
from gyrus.dicom.record import record, with_derived
from gyrus.dicom.silence import silence
from gyrus.dicom.values import Value
from gyrus.dicom.weight import check_weight
from gyrus.shared.ids import digest

LIGHT_HEADER = 1 << 20  # bytes; what a header of this length says can be stored, whatever it is

PIXEL_REPRESENTATION = 0x00280103

_DIRECTORY = "1.2.840.10008.1.3.10"
_MEDIA_STORAGE_CLASS, _TRANSFER_SYNTAX, _DIRECTORY_RECORDS = 0x00020002, 0x00020010, 0x00041220
_UID_LETTERS = frozenset("0123456789.")


@dataclass(frozen=True, slots=True)
class Failure:
    """A reason of REJECT_REASONS and what was found; never a patient, never a path."""

    reason: str
    detail: str = ""
    errno: int | None = None


@dataclass(frozen=True, slots=True)
class Parsed:
    """The parts of a header. block: digest of `shared`, which many files have in common."""

    sop_instance_uid: str
    series_instance_uid: str
    study_instance_uid: str
    shared: dict[str, Value]
    image: dict[str, Value]
    stacks: list[dict[str, Value]]
    diagnostics: dict[str, int]
    block: str
    unusual: str = ""


def judged(meta: Elements, top: Elements, pixels: PixelsAt | None, table: Table) -> Parsed | Failure:
    """Refuse what is no image of a patient; describe the rest."""
    notes = top.notes
    notes.use_charset([str(term) for term in top.parts(SPECIFIC_CHARACTER_SET)])
    notes.is_signed = top.value(PIXEL_REPRESENTATION, "integer") == 1
    media_class = meta.value(_MEDIA_STORAGE_CLASS, "uid")
    if media_class == _DIRECTORY or _DIRECTORY_RECORDS in top:
        return Failure("dicomdir")
    known = record(top, table)
    known["transfer_syntax_uid"] = meta.value(_TRANSFER_SYNTAX, "uid")
    known["sop_class_uid"] = known.get("sop_class_uid") or media_class
    known["modality"] = _modality(known)
    failure = _refusal(known, top, pixels)
    if failure:
        return failure
    assert pixels is not None
    _check_frames(known, notes)
    known |= {"sop_class_name": _class_name(known), "pixel_offset": pixels.offset, "pixel_length": pixels.length}
    known["pixel_data_truncated"] = pixels.is_truncated or None
    notes.flaws["pixel_data_truncated"] += pixels.is_truncated
    notes.flaws.update(f"value_suspect:{name}" for name in suspects(known))
    for name in ("sop_instance_uid", "series_instance_uid", "study_instance_uid"):
        notes.flaws["uid_malformed"] += not is_well_formed(known[name])
    parsed = _parsed(top, known, notes, table)
    if not 0 <= pixels.offset <= LIGHT_HEADER:
        check_weight(parsed.shared, [parsed.image, parsed.stacks])
    return parsed


def is_well_formed(uid: str) -> bool:
    """Whether an identifier is of digits and points, and not too long (PS3.5 section 9.1)."""
    return len(uid) <= 64 and _UID_LETTERS.issuperset(uid)


def _check_frames(known: dict[str, Value], notes: Notes) -> None:
    """Leave out a number of frames that is none. Raises TooLarge if there are more than we read: each is counted, or has a place."""
    count = known.get("number_of_frames")
    if count is not None and count < 1:
        del known["number_of_frames"]
        notes.flaws["value_invalid:number_of_frames"] += 1
    elif count is not None and count > MOST_ITEMS:
        raise TooLarge(too_many(count))


def too_many(frames: int) -> str:
    """What is said of an object with more frames than we read."""
    return f"The object has {frames} frames, at most {MOST_ITEMS}."


def _refusal(known: dict[str, Value], top: Elements, pixels: PixelsAt | None) -> Failure | None:
    uids = ("study_instance_uid", "series_instance_uid", "sop_instance_uid")
    missing = [name for name in uids if not known.get(name)]
    name = _class_name(known)
    if known["sop_class_uid"] in NOT_OF_A_PATIENT:
        return Failure("non_image_object", name)
    if len(missing) == 3 and known["sop_class_uid"] is None:
        return Failure("corrupt_header", f"{len(top.tags())} elements could be read.")
    if pixels is None and known["sop_class_uid"] is not None and "Image Storage" not in name:
        return Failure("non_image_object", name)
    if missing:
        return Failure("missing_uid", ", ".join(missing))
    if pixels is None:
        return Failure("missing_pixel_data", name)
    return None if known["modality"] else Failure("missing_modality", name)


def _class_name(known: dict[str, Value]) -> str:
    """The name of the object's class; its UID if the standard has no name for it, and nothing if that is no UID: it may be a person's."""
    return _name_of(known.get("sop_class_uid") or "")


@lru_cache(maxsize=256)
def _name_of(uid: str) -> str:
    with silence():
        name = UID(uid).name
    return name if _UID_LETTERS.issuperset(uid) else ""


def _modality(known: dict[str, Value]) -> str | None:
    written = str(known.get("modality") or "").strip().upper()
    if written:
        return "PT" if written == "PET" else written
    sop_class = str(known.get("sop_class_uid") or "")
    return "OT" if sop_class.startswith(SECONDARY_CAPTURE) else MODALITY_OF_CLASS.get(sop_class)


def _parsed(top: Elements, known: dict[str, Value], notes: Notes, table: Table) -> Parsed:
    if is_enhanced(top):
        known, frames, stacks = _enhanced(top, known, notes, table)
    else:
        known, frames = with_derived(known, table), None
        stacks = [{"key": stack_key(known, {}), "frames": None, "n": max(1, known.get("number_of_frames") or 1)}]
    shared: dict[str, Value] = {}
    image: dict[str, Value] = {}
    of_image = table.of_image
    for name, value in known.items():
        if value is not None:
            (image if name in of_image else shared)[name] = value
    if frames:
        image["frames"] = frames
    return Parsed(
        known["sop_instance_uid"],
        known["series_instance_uid"],
        known["study_instance_uid"],
        shared,
        image,
        stacks,
        dict(+notes.flaws),
        digest(shared),
    )


def _enhanced(
    top: Elements, known: dict[str, Value], notes: Notes, table: Table
) -> tuple[dict[str, Value], dict[str, Value], list[dict[str, Value]]]:
    constant, varying, count = frame_values(top, {**known, "enhanced": True}, table)
    announced = constant.get("number_of_frames") or count or 1
    if announced != count:
        notes.flaws["frame_count_mismatch"] += count > 0
        count = min(announced, count) or announced
        varying = {name: values[:count] for name, values in varying.items() if len(values) >= count}
    with_echo_ranks(constant, varying)
    with_makers_words(constant, varying, count)
    constant = with_derived({name: value for name, value in constant.items() if name not in varying}, table, varying)
    stacks, is_capped = stacks_of(constant, varying, count)
    notes.flaws["stack_cap"] += is_capped
    return constant, packed_frames(varying, count), stacks
