"""Files that mean harm, for real, and the processes that meet them."""

import asyncio
import contextlib
import ctypes
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flow.system import Room

PREFIX = b"\0" * 128 + b"DICM"
LIBC = ctypes.CDLL(None, use_errno=True)
MNT_DETACH, MS_RDONLY, MS_REMOUNT = 2, 1, 32


def sparse(path: Path, size: int, head: bytes = b"") -> Path:
    """Zeros that take no room on disk, after some bytes."""
    path.write_bytes(head)
    os.truncate(path, size)
    return path


def nothing_but_zeros(path: Path) -> Path:
    return sparse(path, 2 << 30)


def slow_to_read(path: Path) -> Path:
    """A header of millions of empty elements: minutes of parsing, hardly any memory."""
    return sparse(path, 2 << 30, PREFIX)


def large_in_memory(path: Path) -> Path:
    """One element of 250 MB, which is less than a header may have."""
    return sparse(path, 251 << 20, PREFIX + struct.pack("<HH2sHI", 0x0009, 0x1001, b"UN", 0, 250 << 20))


def deeply_nested(path: Path) -> Path:
    item = struct.pack("<HH2sHI", 0x0008, 0x1111, b"SQ", 0, 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    path.write_bytes(PREFIX + item * 20_000)
    return path


# ── processes ────────────────────────────────────────────────────────────────────────────────────────────────────────


def children(pid: int) -> list[int]:
    """The processes that a process started, or its fork server did."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent == pid:
                found.append(int(entry.name))
    return found


def workers_of(room: Room) -> list[int]:
    """The worker processes of a room: the children of its fork server."""
    return [worker for child in children(room.process.pid) for worker in children(child)]


class Peaks:
    """The most memory that each process of a room ever held, in MB, looked at again and again."""

    def __init__(self, room: Room) -> None:
        self._room, self.mb = room, dict[int, int]()

    async def watch(self) -> None:
        while True:
            for pid in (self._room.process.pid, *children(self._room.process.pid), *workers_of(self._room)):
                try:
                    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
                except OSError:
                    continue
                for line in lines:
                    if line.startswith("VmHWM"):
                        self.mb[pid] = int(line.split()[1]) >> 10
            await asyncio.sleep(0.05)


# ── places ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _mount(kind: str, place: Path, flags: int, options: str) -> None:
    if LIBC.mount(kind.encode(), os.fsencode(place), kind.encode(), flags, options.encode()) != 0:
        pytest.skip(f"this test mounts a {kind}, and may not: {os.strerror(ctypes.get_errno())}")


@contextmanager
def small_disk(place: Path, kb: int) -> Iterator[Path]:
    """A file system of a few kB."""
    _mount("tmpfs", place, 0, f"size={kb}k")
    try:
        yield place
    finally:
        LIBC.umount2(os.fsencode(place), MNT_DETACH)


def fill(place: Path) -> None:
    """Write a file `other` until the file system is full."""
    with (place / "other").open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 65_536)


def writable(place: Path, may: bool) -> None:
    """Mount a file system again, read-only or not."""
    assert LIBC.mount(b"tmpfs", os.fsencode(place), b"tmpfs", MS_REMOUNT | (0 if may else MS_RDONLY), b"") == 0


@contextmanager
def broken_mount(place: Path) -> Iterator[None]:
    """Cover a folder by a file system whose server died: all that one does there fails with ENOTCONN."""
    try:
        server = os.open("/dev/fuse", os.O_RDWR)
    except OSError as error:
        pytest.skip(f"this test mounts a FUSE file system, and may not: {error}")
    _mount("fuse", place, 0, f"fd={server},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}")
    os.close(server)
    try:
        yield
    finally:
        LIBC.umount2(os.fsencode(place), MNT_DETACH)
