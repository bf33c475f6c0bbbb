"""A hundred thousand damaged headers, of every set of real files: small and large, classic and enhanced, of every maker.

GYRUS_SOAK_HEADERS (100,000) are damaged by chance, whose seed is GYRUS_SOAK_SEED (14). What is found lies in files beside the test's own.
"""

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from dicom.trial import Trial, whole_headers

HEADERS = int(os.environ.get("GYRUS_SOAK_HEADERS", "100000"))
SEED = int(os.environ.get("GYRUS_SOAK_SEED", "14"))
OF_A_FOLDER = 12  # files: more of a series say the same
LONGEST = 300_000  # bytes of a header: enhanced objects of some hundred frames, not of thousands
pytestmark = [pytest.mark.soak, pytest.mark.timeout(7200)]


def some_of(real: Path) -> Iterator[Path]:
    """Some files of each folder, from its beginning to its end."""
    by_folder: dict[Path, list[Path]] = defaultdict(list)
    for path in sorted(real.rglob("*")):
        if path.is_file():
            by_folder[path.parent].append(path)
    for paths in by_folder.values():
        yield from paths[:: max(1, -(-len(paths) // OF_A_FOLDER))]


def test_no_damaged_header_says_something_else_crashes_hangs_takes_much_memory_or_spoils_a_whole_one(real: Path, tmp_path: Path) -> None:
    trial = Trial(whole_headers(some_of(real), LONGEST), SEED)

    trial.run(HEADERS)

    print(trial.told())
    assert trial.kept(tmp_path) == []
    assert trial.tried["taken"] > 0.2 * HEADERS  # else nothing was compared
