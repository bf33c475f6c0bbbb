"""The bytes of one open file become the parts of a header, or the reason why not."""

import io
import struct
import zlib
from dataclasses import dataclass

import pydicom.config
from pydicom.dataelem import RawDataElement
from pydicom.dataset import FileDataset
from pydicom.filereader import read_partial
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from gyrus.dicom.announce import UNDEFINED, PixelsAt, pixels_at
from gyrus.dicom.classes import MODALITY_OF_CLASS, NOT_OF_A_PATIENT, SECONDARY_CAPTURE
from gyrus.dicom.derived import suspects
from gyrus.dicom.elements import MOST_ITEMS, SPECIFIC_CHARACTER_SET, Elements, Notes, TooLarge
from gyrus.dicom.field import Table
from gyrus.dicom.frames import FRAME_GROUPS, frame_values, is_enhanced, packed_frames, stacks_of, with_echo_ranks, with_makers_words
from gyrus.dicom.keys import stack_key
from gyrus.dicom.record import record, with_derived
from gyrus.dicom.sniff import looks_like
from gyrus.dicom.values import Value
from gyrus.dicom.weight import check_weight

LARGEST_HEADER = 256 << 20  # bytes
SMALLEST_ELEMENT = 8  # bytes: tag and length, without a value
SMALL_READ = 1 << 16  # bytes; a longer one is compared with what the file still holds
LIGHT_HEADER = 1 << 20  # bytes; what a header of this length says can be stored, whatever it is

_DIRECTORY = "1.2.840.10008.1.3.10"
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_MEDIA_STORAGE_CLASS, _TRANSFER_SYNTAX, _DIRECTORY_RECORDS = 0x00020002, 0x00020010, 0x00041220
_PIXEL_DATA = (0x7FE00010, 0x7FE00009, 0x7FE00008)
_NUMBER_OF_FRAMES, _LONGEST_IS = 0x00280008, 12
_HEADER_TOO_LARGE = f"The header is larger than {LARGEST_HEADER} bytes."
_PERHAPS_CUT = {"missing_uid", "non_image_object"}
_UID_LETTERS = frozenset("0123456789.")


@dataclass(frozen=True, slots=True)
class Failure:
    """A reason of REJECT_REASONS and what was found; never a patient, never a path."""

    reason: str
    detail: str = ""
    errno: int | None = None


@dataclass(frozen=True, slots=True)
class Parsed:
    """The parts of a header."""

    sop_instance_uid: str
    series_instance_uid: str
    study_instance_uid: str
    shared: dict[str, Value]
    image: dict[str, Value]
    stacks: list[dict[str, Value]]
    diagnostics: dict[str, int]


class _Bounded(io.BufferedReader):
    """A file without a name, of which only so many bytes may be read."""

    name = ""

    def __init__(self, raw: io.FileIO, size: int) -> None:
        super().__init__(raw, 1 << 15)
        self._size = size
        self._left = LARGEST_HEADER

    def read(self, size: int | None = -1, /) -> bytes:
        """Read, but never more than the file can give or the header may take."""
        wanted = self._size if size is None or size < 0 else size
        if wanted > SMALL_READ:
            wanted = min(wanted, max(0, self._size - self.tell()))
        self._left -= wanted
        if self._left < 0:
            raise TooLarge(_HEADER_TOO_LARGE)
        return super().read(wanted)


def parse(raw: io.FileIO, size: int, table: Table) -> Parsed | Failure:
    """Read the header of an open file of `size` bytes."""
    if size == 0:
        return Failure("empty_file")
    file = _Bounded(raw, size)
    try:
        return _parsed_file(file, size, table)
    except TooLarge as error:
        return Failure("too_large", str(error))


def _parsed_file(file: _Bounded, size: int, table: Table) -> Parsed | Failure:
    head = file.read(1024)
    form = looks_like(head)
    if form != "dicom":
        return Failure(form)
    is_deflated = _DEFLATED in head
    if is_deflated:
        _measure_inflated(file, head)
    file.seek(0)
    dataset = _dataset(file, None if is_deflated else _Stop(file))
    if isinstance(dataset, Failure):
        return dataset
    pixels = _inflated_pixels(dataset) if is_deflated else pixels_at(file, file.tell(), size, _order(dataset))
    judged = _judged(dataset, pixels, table)
    if isinstance(judged, Failure) and judged.reason in _PERHAPS_CUT and _breaks_off(dataset, size):
        return Failure("corrupt_header", "The last element runs past the end of the file.")
    return judged


class _Stop:
    """Ends the reading before the pixels, and before the items of more frames than we read: parsing those alone would take minutes."""

    def __init__(self, file: _Bounded) -> None:
        self._file = file
        self._frames = 0

    def __call__(self, tag: int, vr: str | None, length: int) -> bool:
        """Called at the value of each element of the top level."""
        if tag == _NUMBER_OF_FRAMES and length <= _LONGEST_IS:
            digits = self._file.peek(length)[:length].strip(b" \0")
            self._frames = int(digits) if digits.isdigit() else 0
        elif tag == FRAME_GROUPS and self._frames > MOST_ITEMS:
            raise TooLarge(_too_many(self._frames))
        return tag in _PIXEL_DATA


def _dataset(file: _Bounded, stop: _Stop | None) -> FileDataset | Failure:
    try:
        with pydicom.config.disable_value_validation():
            return read_partial(file, stop, force=True)
    except (TooLarge, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        return Failure("corrupt_header", type(error).__name__)


def _breaks_off(dataset: FileDataset, size: int) -> bool:
    """Whether the last element that could be read is longer than the file or followed by a piece of one, or none could be."""
    tags = list(dataset.keys()) or list(dataset.file_meta.keys())
    if not tags or dataset.file_meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
        return not tags
    home = dataset if dataset.keys() else dataset.file_meta
    last = home.get_item(max(tags), keep_deferred=True)
    if not isinstance(last, RawDataElement) or last.length == UNDEFINED:
        return False
    left = size - last.value_tell - last.length
    return left < 0 or 0 < left < SMALLEST_ELEMENT


def _order(dataset: FileDataset) -> str:
    return ">" if dataset.original_encoding[1] is False else "<"


def _measure_inflated(file: _Bounded, head: bytes) -> None:
    """Inflate a deflated data set piece by piece. Raises TooLarge if it is larger than a header may be."""
    if len(head) < 144:
        return
    file.seek(144 + int(struct.unpack_from("<I", head, 140)[0]))
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    total = 0
    try:
        while not inflater.eof and (chunk := inflater.unconsumed_tail or file.read(SMALL_READ)):
            total += len(inflater.decompress(chunk, 1 << 20))
            if total > LARGEST_HEADER:
                raise TooLarge(_HEADER_TOO_LARGE)
    except zlib.error:
        return


def _inflated_pixels(dataset: FileDataset) -> PixelsAt | None:
    """Pixel data of a deflated file have no offset of their own."""
    lengths = [len(element.value or b"") for tag in _PIXEL_DATA if (element := dataset.get_item(tag)) is not None]
    return PixelsAt(-1, lengths[0], False) if lengths else None


def _judged(dataset: FileDataset, pixels: PixelsAt | None, table: Table) -> Parsed | Failure:
    """Refuse what is no image of a patient; describe the rest."""
    notes = Notes()
    top, meta = Elements(dataset, notes), Elements(dataset.file_meta, notes)
    notes.use_charset([str(term) for term in top.parts(SPECIFIC_CHARACTER_SET)])
    notes.is_signed = top.value(0x00280103, "integer") == 1
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
        notes.flaws["uid_malformed"] += not (len(known[name]) <= 64 and _UID_LETTERS.issuperset(known[name]))
    parsed = _parsed(top, known, notes, table)
    if not 0 <= pixels.offset <= LIGHT_HEADER:
        check_weight(parsed.shared, [parsed.image, parsed.stacks])
    return parsed


def _check_frames(known: dict[str, Value], notes: Notes) -> None:
    """Leave out a number of frames that is none. Raises TooLarge if there are more than we read: each is counted, or has a place."""
    count = known.get("number_of_frames")
    if count is not None and count < 1:
        del known["number_of_frames"]
        notes.flaws["value_invalid:number_of_frames"] += 1
    elif count is not None and count > MOST_ITEMS:
        raise TooLarge(_too_many(count))


def _too_many(frames: int) -> str:
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
    uid = UID(known.get("sop_class_uid") or "")
    return uid.name if _UID_LETTERS.issuperset(uid) else ""


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
    present = {name: value for name, value in known.items() if value is not None}
    image = {name: value for name, value in present.items() if table.is_of_image(name)}
    if frames:
        image["frames"] = frames
    return Parsed(
        known["sop_instance_uid"],
        known["series_instance_uid"],
        known["study_instance_uid"],
        {name: value for name, value in present.items() if name not in image},
        image,
        stacks,
        dict(+notes.flaws),
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
