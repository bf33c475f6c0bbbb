"""Zips as people make them, and as nobody should."""

import io
import os
import struct
import time
import zipfile
from collections.abc import Iterable
from pathlib import Path

STORED, DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED


def a_member(name: str, mode: int = 0o100644) -> zipfile.ZipInfo:
    """A member with any name at all: the constructor would cut it at a NUL."""
    info = zipfile.ZipInfo("x", (2024, 1, 2, 3, 4, 6))
    info.filename = info.orig_filename = name
    info.external_attr = mode << 16
    info.compress_type = DEFLATED
    return info


def a_zip(members: Iterable[tuple[zipfile.ZipInfo | str, bytes]]) -> bytes:
    """A zip of members and their contents."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", DEFLATED) as archive:
        for member, content in members:
            archive.writestr(member if isinstance(member, zipfile.ZipInfo) else a_member(member), content)
    return made.getvalue()


def members_of(folder: Path) -> list[tuple[zipfile.ZipInfo | str, bytes]]:
    """The files of a folder, with their times of last change."""
    found: list[tuple[zipfile.ZipInfo | str, bytes]] = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            member = a_member(str(path.relative_to(folder)))
            member.date_time = time.gmtime(path.stat().st_mtime)[:6]
            found.append((member, path.read_bytes()))
    return found


def entries(content: bytes) -> list[int]:
    """Where the entries of the directory begin."""
    end = content.rindex(b"PK\x05\x06")
    count, _, start = struct.unpack_from("<HII", content, end + 10)
    found = [start]
    for _ in range(count - 1):
        sizes = struct.unpack_from("<HHH", content, found[-1] + 28)
        found.append(found[-1] + 46 + sum(sizes))
    return found


def changed(content: bytes, member: int, offset: int, form: str, value: int) -> bytes:
    """The same zip whose directory says something else of a member.

    offset: within its entry; 8: flags, 20: packed size, 24: real size, 42: where it begins.
    """
    made = bytearray(content)
    struct.pack_into(form, made, entries(content)[member] + offset, value)
    return bytes(made)


def overlapping(copies: int, kernel: bytes) -> bytes:
    """Members that share the bytes of one, as in a bomb that needs no nesting."""
    content = a_zip([(f"{number}", kernel if number == 0 else b"") for number in range(copies)])
    first = entries(content)[0]
    crc, packed, real = struct.unpack_from("<III", content, first + 16)
    for number in range(1, copies):
        for offset, value in ((16, crc), (20, packed), (24, real), (42, 0)):
            content = changed(content, number, offset, "<I", value)
    return content


def below(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path."""
    return {os.path.relpath(path, folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
