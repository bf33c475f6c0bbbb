"""Any file, read by pydicom: slower than the walk, and ready for what writers do that the standard does not foresee."""

import io
import struct
import zlib
from dataclasses import replace

import pydicom.config
from pydicom.dataelem import RawDataElement
from pydicom.dataset import FileDataset
from pydicom.filereader import read_partial
from pydicom.uid import DeflatedExplicitVRLittleEndian

from gyrus.dicom.announce import UNDEFINED, PixelsAt, pixels_at
from gyrus.dicom.dataset import PydicomSet
from gyrus.dicom.elements import MOST_ITEMS, Elements, Notes
from gyrus.dicom.errors import TooLarge
from gyrus.dicom.field import Table
from gyrus.dicom.frames import FRAME_GROUPS
from gyrus.dicom.judging import Failure, Parsed, judged, too_many
from gyrus.dicom.silence import silence
from gyrus.dicom.sniff import looks_like

LARGEST_HEADER = 256 << 20  # bytes
SMALLEST_ELEMENT = 8  # bytes: tag and length, without a value
SMALL_READ = 1 << 16  # bytes; a longer one is compared with what the file still holds

_DEFLATED = b"1.2.840.10008.1.2.1.99"
_PIXEL_DATA = (0x7FE00010, 0x7FE00009, 0x7FE00008)
_NUMBER_OF_FRAMES, _LONGEST_IS = 0x00280008, 12
_HEADER_TOO_LARGE = f"The header is larger than {LARGEST_HEADER} bytes."
_PERHAPS_CUT = {"missing_uid", "non_image_object"}


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


def read_by_pydicom(raw: io.FileIO, size: int, table: Table, unusual: str = "") -> Parsed | Failure:
    """Read the header of an open file of `size` bytes. unusual: why the walk did not."""
    raw.seek(0)
    file = _Bounded(raw, size)
    try:
        with silence():
            parsed = _parsed_file(file, size, table)
        return replace(parsed, unusual=unusual) if isinstance(parsed, Parsed) else parsed
    except TooLarge as error:
        return Failure("too_large", str(error))
    finally:
        file.detach()  # or the file is closed with its buffer


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
    notes = Notes()
    elements = Elements(PydicomSet(dataset, dataset.original_encoding[1] is not False), notes)
    found = judged(Elements(PydicomSet(dataset.file_meta), notes), elements, pixels, table)
    if isinstance(found, Failure) and found.reason in _PERHAPS_CUT and _breaks_off(dataset, size):
        return Failure("corrupt_header", "The last element runs past the end of the file.")
    return found


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
            raise TooLarge(too_many(self._frames))
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
