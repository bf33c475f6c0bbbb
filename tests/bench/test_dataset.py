"""One cached item, in turn with the way that training reads were made before: wall time, warm and cold. Printed, never asserted.

One process, one thread for both. Warm: the files are in the page cache. Cold: the kernel is asked to forget them before each read
(posix_fadvise), which it declines while another process looks into them; the share that it still held is printed. A data set looks into
a file once and stays there; `first look` is the first item of a file in a process, as is each cold one.
"""

import copy
import ctypes
import mmap
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bench import by_two_loads
from bench.harness import median, print_table, spread
from gyrus.data.layout import METADATA, VERSION, as_json, encoded
from gyrus.data.tokens import tokens_of
from gyrus.datasets import ImageDataset

SHAPE = (44, 224, 192)  # 1848 tokens, 1.9 MB
IMAGES, WARM, COLD = 24, 240, 48
WANTED = 15
pytestmark = pytest.mark.bench
Read = Callable[[int], Any]


def write(folder: Path) -> tuple[Path, Path]:
    """The same images in both ways: a head of noise in the dark."""
    ours, theirs = folder / "ours", folder / "theirs"
    (ours / "study").mkdir(parents=True)
    theirs.mkdir()
    for number in range(IMAGES):
        volume = np.zeros(SHAPE, np.uint8)
        volume[4:40, 20:200, 30:170] = np.random.default_rng(number).integers(1, 255, (36, 180, 140))
        background = (volume == 0).astype(np.uint8)
        by_two_loads.write(theirs, f"T{number:02}", torch.from_numpy(volume), torch.from_numpy(background))
        about = {"shape": SHAPE, "spacing": (1.0, 1.0, 4.0), "view": 0, "mode": "mri"}
        filtered = torch.from_numpy(tokens_of(background).any(1).astype(np.uint8))
        saved = {"data": torch.from_numpy(tokens_of(volume)), "filtered": filtered, "size": (11, 14, 12), "window": None, **about}
        (ours / "study" / f"T{number:02}.pt").write_bytes(encoded(saved))
        (ours / "study" / f"T{number:02}_mask.pt").write_bytes(encoded(torch.from_numpy(background)))
        (ours / "study" / f"T{number:02}{METADATA}").write_bytes(as_json({**about, "version": VERSION}))
    return ours, theirs


def in_memory(path: Path) -> float:
    """The share of a file's pages that is in the page cache."""
    size = path.stat().st_size
    with path.open("rb") as file, mmap.mmap(file.fileno(), size, access=mmap.ACCESS_COPY) as mapped:
        pages = (ctypes.c_ubyte * (-(-size // mmap.PAGESIZE)))()
        start = ctypes.addressof(ctypes.c_char.from_buffer(mapped))
        ctypes.CDLL(None, use_errno=True).mincore(ctypes.c_void_p(start), ctypes.c_size_t(size), pages)
        share = sum(page & 1 for page in pages) / len(pages)
        del start
    return share


def forget(paths: Sequence[Path]) -> float:
    """Ask the kernel to forget files; the share that is still there."""
    for path in paths:
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return max(map(in_memory, paths))


def ms(read: Read, index: int) -> float:
    before = time.perf_counter()
    item = read(index)
    took = (time.perf_counter() - before) * 1000
    assert len(item) == 9
    return took


def check_equal(one: Any, other: Any) -> None:
    assert one.keys() == other.keys()
    assert all(
        torch.equal(one[name], other[name]) and one[name].dtype == other[name].dtype for name in ("img", "coords", "filtered", "size")
    )


def test_a_cached_item_against_two_loads(tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        measure(*write(tmp_path))
    finally:
        torch.set_num_threads(threads)


def measure(ours: Path, theirs: Path) -> None:
    dataset = ImageDataset(ours)
    crops, turns = ImageDataset(ours, random_crop=True, max_crop_size=(5, 7, 6)), ImageDataset(ours, augment=True)

    def before(index: int) -> Any:
        return by_two_loads.read(theirs, f"T{index:02}")

    for index in range(IMAGES):
        check_equal(dataset[index], before(index))
        _ = crops[index], turns[index]
    sets = {"gyrus": dataset, "gyrus, crop ≤ 5×7×6": crops, "gyrus, augment": turns}
    ways: dict[str, Read] = {
        "two loads": before,
        **{name: one.__getitem__ for name, one in sets.items()},
        "gyrus, first look": lambda index: copy.copy(dataset)[index],
    }
    warm: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(WARM // IMAGES):
        for name, read in ways.items():  # a pass over all images each, so that neither reads in the dust of the other
            warm[name] += [ms(read, index) for index in range(IMAGES)]
    for one in sets.values():
        one._mapped.clear()  # what is looked into is not forgotten
    cold: dict[str, list[float]] = {name: [] for name in ways}
    left = []
    for number in range(COLD):
        for name, read in ways.items():
            stem = f"T{number % IMAGES:02}"
            files = [theirs / f"{stem}.pt", theirs / f"{stem}_mask.pt"] if name == "two loads" else [ours / "study" / f"{stem}.pt"]
            left.append(forget(files))
            cold[name].append(ms(read, number % IMAGES))
            for one in sets.values():
                one._mapped.clear()
    slow, slow_cold = median(warm["two loads"]), median(cold["two loads"])
    rows = [
        [name, spread(warm[name], 2), f"{slow / median(warm[name]):.1f}", spread(cold[name], 2), f"{slow_cold / median(cold[name]):.1f}"]
        for name in ways
    ]
    head = ["item", "warm, ms", f"times as fast (wanted {WANTED})", "cold, ms", "times as fast"]
    print_table(f"One item of {SHAPE[0]} × {SHAPE[1]} × {SHAPE[2]}, one thread, medians of {WARM} and {COLD}", head, rows)
    print(f"Of the cold files the kernel still held {100 * median(left):.0f} % (median), {100 * max(left):.0f} % (most).")
