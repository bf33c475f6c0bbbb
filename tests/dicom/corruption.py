"""Headers that were damaged in every way that disks, networks and programs know; the same again for the same seed."""

import io
import os
import random
from collections.abc import Callable

from gyrus.dicom.errors import TooLarge, UnusualError
from gyrus.dicom.fields import STANDARD
from gyrus.dicom.judging import Failure, Parsed
from gyrus.dicom.parse import read_by_walk

Damage = Callable[[random.Random, bytearray, int], None]

AFTER_PREAMBLE = 132
_VRS = [b"AE", b"CS", b"DS", b"FD", b"IS", b"LO", b"OB", b"OW", b"SH", b"SQ", b"TM", b"UI", b"UN", b"US", b"UT", b"ZZ"]
_LETTERS = b" \0\r\n\t\\^=\x1b09.,-+eE\xff"
_MARKS = [b"\xff\xff\xff\xff", b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0", b"\0\0\0\0", b"\xff\xff\xff\x7f"]


def _flip(rng: random.Random, header: bytearray, place: int) -> None:
    for _ in range(rng.randrange(1, 6)):
        header[rng.randrange(AFTER_PREAMBLE, len(header))] ^= 1 << rng.randrange(8)


def _zero(rng: random.Random, header: bytearray, place: int) -> None:
    end = min(len(header), place + rng.randrange(1, 40))
    header[place:end] = bytes(end - place)


def _lie(rng: random.Random, header: bytearray, place: int) -> None:
    header[place : place + 2] = rng.randbytes(2)


def _cut(rng: random.Random, header: bytearray, place: int) -> None:
    del header[place:]


def _swap(rng: random.Random, header: bytearray, place: int) -> None:
    other, size = rng.randrange(AFTER_PREAMBLE, len(header)), rng.randrange(1, 20)
    here, there = header[place : place + size], header[other : other + size]
    header[place : place + len(there)] = there
    header[other : other + len(here)] = here


def _delete(rng: random.Random, header: bytearray, place: int) -> None:
    del header[place : place + rng.randrange(1, 20)]


def _insert(rng: random.Random, header: bytearray, place: int) -> None:
    header[place:place] = rng.randbytes(rng.randrange(1, 20))


def _double(rng: random.Random, header: bytearray, place: int) -> None:
    header[place:place] = header[place : place + rng.randrange(1, 60)]


def _other_vr(rng: random.Random, header: bytearray, place: int) -> None:
    places = [at for at in range(place, min(len(header) - 2, place + 400)) if bytes(header[at : at + 2]) in _VRS]
    for at in places[:1]:
        header[at : at + 2] = rng.choice(_VRS)


def _other_letter(rng: random.Random, header: bytearray, place: int) -> None:
    header[place] = rng.choice(_LETTERS)


def _mark(rng: random.Random, header: bytearray, place: int) -> None:
    header[place : place + 4] = rng.choice(_MARKS)


DAMAGES: tuple[Damage, ...] = (_flip, _zero, _lie, _cut, _swap, _delete, _insert, _double, _other_vr, _other_letter, _mark)


def by_walk(content: bytes) -> Parsed | Failure | None:
    """What the walk says of a file's bytes; None where it leaves them to pydicom."""
    with in_memory(content) as file:
        return walked(file, len(content))


def walked(file: io.FileIO, size: int) -> Parsed | Failure | None:
    """The same of an open file."""
    try:
        return read_by_walk(file, size, STANDARD)
    except (UnusualError, TooLarge):
        return None


def in_memory(content: bytes) -> io.FileIO:
    """Bytes as an open file."""
    file = io.FileIO(os.memfd_create("header"), "r+")
    file.write(content)
    return file
