"""What must hold for every damaged header, and for whole ones that are read after it in the same process."""

import random
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from dicom.corruption import by_walk, in_memory
from dicom.corruption_of_elements import damaged_in_every_way
from gyrus.dicom.by_pydicom import read_by_pydicom
from gyrus.dicom.fields import STANDARD
from gyrus.dicom.judging import Failure, Parsed
from gyrus.dicom.parse import moulds_of, parse

LONGEST_S, LONGEST_S_PER_MB = 5.0, 30.0  # CPU for a header: far more than one takes, far less than a hang
MOST_MB, MOST_TIMES = 2.0, 40.0  # memory for a header: so much, and so many times its length
FORGET = 0.002  # how often all that was learned is forgotten, so that damaged headers are learned from first


@dataclass(frozen=True, slots=True)
class Whole:
    """An undamaged header with the first bytes of its pixels, and what pydicom says of it."""

    content: bytes
    says: Parsed
    is_taken: bool


def by_pydicom(content: bytes) -> Parsed | Failure:
    """What pydicom says of a file's bytes."""
    with in_memory(content) as file:
        return read_by_pydicom(file, len(content), STANDARD)


def whole_headers(paths: Iterable[Path], longest: int) -> list[Whole]:
    """Headers of at most so many bytes, whoever reads them."""
    found = []
    for path in paths:
        with path.open("rb") as file:
            content = file.read(longest + 64)
        says = by_walk(content) or by_pydicom(content)
        if isinstance(says, Parsed) and 0 < says.image["pixel_offset"] <= longest:
            content = content[: says.image["pixel_offset"] + 64]
            says = by_pydicom(content)
            assert isinstance(says, Parsed)
            found.append(Whole(content, says, isinstance(by_walk(content), Parsed)))
    return found


@dataclass
class Trial:
    """Damages headers, looks at what is said of them, and keeps those of which something wrong is said.

    measured: one in so many is read once more, as in production, to measure its memory, which takes longer.
    """

    headers: list[Whole]
    seed: int
    measured: int = 20
    tried: Counter[str] = field(default_factory=Counter)
    found: list[tuple[str, bytes]] = field(default_factory=list)
    slowest_s: float = 0.0
    most_times: float = 0.0

    def run(self, count: int) -> None:
        """So many damaged headers."""
        rng = random.Random(self.seed)
        for number in range(count):
            if rng.random() < FORGET:
                moulds_of.cache_clear()
            whole = rng.choice(self.headers)
            content = damaged_in_every_way(whole.content, rng)
            started = time.process_time()
            wrong = self._wrong(content) or self._poisoned(whole)
            took_s = time.process_time() - started
            self.slowest_s = max(self.slowest_s, took_s)
            if took_s > LONGEST_S + LONGEST_S_PER_MB * len(content) / 1e6:
                wrong = wrong or f"took {took_s:.1f} s"
            if number % self.measured == 0:
                wrong = wrong or self._heavy(content)
            if wrong:
                self.found.append((wrong, content))

    def _wrong(self, content: bytes) -> str:
        """What is wrong with the answers: a fault, or two that differ."""
        self.tried["all"] += 1
        try:
            quick = by_walk(content)
        except Exception as error:
            return f"the walk raised {error!r}"
        if not isinstance(quick, Parsed):
            return ""
        self.tried["taken"] += 1
        slow = by_pydicom(content)
        return f"says {_differing(quick, slow)}" if quick != slow else ""

    def _poisoned(self, whole: Whole) -> str:
        """What is wrong with the whole header, read after the damaged one."""
        quick = by_walk(whole.content)
        if isinstance(quick, Parsed) and quick != whole.says:
            return f"made a whole header say {_differing(quick, whole.says)}"
        return "made a whole header unusual" if whole.is_taken and quick is None else ""

    def _heavy(self, content: bytes) -> str:
        """What is wrong with the memory that reading takes, by whichever way, or with that way."""
        tracemalloc.start()
        try:
            with in_memory(content) as file:
                parse(file, len(content), STANDARD)
            peak = tracemalloc.get_traced_memory()[1]
        except Exception as error:
            return f"reading raised {error!r}"
        finally:
            tracemalloc.stop()
        times = max(0.0, peak - MOST_MB * 1e6) / len(content)
        self.most_times = max(self.most_times, times)
        return f"took {peak / 1e6:.1f} MB for {len(content)} bytes" if times > MOST_TIMES else ""

    def told(self) -> str:
        """The figures, in a line."""
        return (
            f"seed {self.seed}: {self.tried['all']} damaged headers, {self.tried['taken']} taken by the walk, {len(self.found)} found; "
            f"at most {self.slowest_s:.2f} s of CPU, and {self.most_times:.1f} times its length in memory beyond {MOST_MB:.0f} MB"
        )

    def kept(self, folder: Path) -> list[str]:
        """What was found, each with a file of its bytes in the folder."""
        for number, (_, content) in enumerate(self.found):
            (folder / f"seed-{self.seed}-{number}").write_bytes(content)
        return [wrong for wrong, _ in self.found]


def _differing(quick: Parsed, slow: Parsed | Failure) -> str:
    if isinstance(slow, Failure):
        return f"something where pydicom says {slow.reason} ({slow.detail})"
    parts = ("sop_instance_uid", "series_instance_uid", "study_instance_uid", "stacks", "diagnostics")
    told = [f"{name}: {a!r} != {b!r}" for name in parts if (a := getattr(quick, name)) != (b := getattr(slow, name))]
    for one, other in ((quick.shared, slow.shared), (quick.image, slow.image)):
        told += [f"{name}: {a!r} != {b!r}" for name in one.keys() | other.keys() if (a := one.get(name)) != (b := other.get(name))]
    return "; ".join(told)[:600]
