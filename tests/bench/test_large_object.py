"""One enhanced object of very many frames: time and memory of reading it, and what is stored of it."""

import resource
import subprocess
import sys
import time
from pathlib import Path

import bson
import pytest

from dicom.large_objects import a_diffusion_frame, a_large_object
from gyrus.dicom import Header, read
from gyrus.extractor.files import said
from gyrus.extractor.settle import settle

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]
FRAMES = (100, 1_000, 10_000)
HEADINGS = "| frames | header, MB | reading, s of CPU | peak memory above the start, MB | document of the file, kB | settling, s of CPU |"


def measured(path: Path, frames: int) -> str:
    """One line of the table; in a process of its own, since memory that was once taken counts for ever."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    header = read(path)
    read_s = time.process_time() - started
    assert isinstance(header, Header)
    peak_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    document = said(header, "bench", b"a secret for benches only")
    assert document.header is not None
    started = time.process_time()
    settle([{"_id": "one", **document.content}], {document.header["_id"]: document.header["fields"]})
    settle_s = time.process_time() - started
    size_mb, stored_kb = path.stat().st_size / 1e6, len(bson.encode(document.content)) / 1e3
    return f"| {frames:,} | {size_mb:.1f} | {read_s:.2f} | {peak_mb:.0f} | {stored_kb:.0f} | {settle_s:.2f} |"


def test_an_object_of_very_many_frames(tmp_path: Path) -> None:
    rows = []
    for frames in FRAMES:
        path = a_large_object(tmp_path, [a_diffusion_frame(number) for number in range(frames)])
        code = f"from pathlib import Path; from bench.test_large_object import measured; print(measured(Path({str(path)!r}), {frames}))"
        answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1])
        rows.append(answer.stdout.strip())
    print("", HEADINGS, "|---" * 6 + "|", *rows, sep="\n")
    assert len(rows) == len(FRAMES)
