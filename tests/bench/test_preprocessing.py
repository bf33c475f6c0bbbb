"""Load and prepare one image, in turn with a SimpleITK pipeline of the same steps: CPU, ratio, peak memory. Printed, never asserted.

One process, one thread for both; the page cache is warm and what gyrus remembers of matrices is forgotten before each run. Peak memory is
that of a process of its own, above what it had with its modules loaded. The floor is what the bytes alone cost: to inflate the
file, or to read the files.
"""

import gc
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK
from isal import isal_zlib

from bench import by_simpleitk
from bench.harness import median, print_table, spread
from bench.heads import CASES, Case, write
from gyrus.data import load_image, prepare_for_inference, splines
from gyrus.data.threads import use_one_thread

ROUNDS = 5
pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]
sitk: Any = SimpleITK
Step = Callable[[], Any]

PEAK = """
import sys
from pathlib import Path
from bench import by_simpleitk
from gyrus.data import load_image, prepare_for_inference
from gyrus.data.threads import use_one_thread
use_one_thread()
def kb(name):
    return int(dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())[name].split()[0])
side, path, mode, warm = sys.argv[1], Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4])
def run(path, mode):
    if side == "gyrus":
        return prepare_for_inference(load_image(path), mode)
    return by_simpleitk.prepare(by_simpleitk.load(path), mode)
run(warm, "mri")
Path("/proc/self/clear_refs").write_text("5")
before = kb("VmRSS")
kept = run(path, mode)
print((kb("VmHWM") - before) * 1024 / 1e6)
"""


def cpu_s(step: Step) -> float:
    gc.collect()
    before = time.process_time()
    step()
    return time.process_time() - before


def ours(path: Path, case: Case) -> Any:
    splines.sampling.cache_clear()
    return prepare_for_inference(load_image(path), case.mode)


def theirs(path: Path, case: Case) -> Any:
    return by_simpleitk.prepare(by_simpleitk.load(path), case.mode)


def floor(path: Path) -> None:
    if path.is_dir():
        for file in path.iterdir():
            file.read_bytes()
    else:
        isal_zlib.decompress(path.read_bytes(), 31)


def peak_mb(side: str, path: Path, case: Case, warm: Path) -> float:
    command = [sys.executable, "-c", PEAK, side, str(path), case.mode, str(warm)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1]).stdout)


def check_equal(path: Path, case: Case) -> None:
    """Both make the same, but for the unsteady truncation of the other."""
    mine, his = sitk.GetArrayFromImage(load_image(path)), sitk.GetArrayFromImage(by_simpleitk.load(path))
    assert mine.shape == his.shape
    assert np.abs(mine.astype(float) - his.astype(float)).max() <= 1


def measured(case: Case, path: Path, warm: Path) -> list[str]:
    """One row: both sides in turn."""
    check_equal(path, case)
    runs = [(cpu_s(lambda: ours(path, case)), cpu_s(lambda: theirs(path, case))) for _ in range(ROUNDS)]
    mine, his = zip(*runs, strict=True)
    bytes_alone = median(cpu_s(lambda: floor(path)) for _ in range(ROUNDS))
    peak, other_peak = (peak_mb(side, path, case, warm) for side in ("gyrus", "simpleitk"))
    ratio = f"{median(his) / median(mine):.1f} ({case.wanted:g})"
    memory = f"{peak:.0f} and {other_peak:.0f}: {peak / other_peak:.2f}"
    return [case.name, spread(mine, 3), spread(his, 2), ratio, f"{bytes_alone:.3f}", memory]


def test_load_and_prepare_against_simpleitk(tmp_path: Path) -> None:
    use_one_thread()
    warm = write(tmp_path / "warm", Case(name="", mode="mri", size=(64, 64, 30), spacing_mm=(3.0, 3.0, 4.0), wanted=0))
    rows = [measured(case, write(tmp_path / str(number), case), warm) for number, case in enumerate(CASES)]
    head = ["image", "gyrus, s", "SimpleITK, s", "times as fast (wanted)", "its bytes alone, s", "peak memory, MB: part"]
    print_table(f"Load and prepare one image, CPU on one thread, medians of {ROUNDS}", head, rows)
