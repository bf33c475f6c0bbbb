"""The real files, once for all soak tests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flow.system import System

SHARED = Path(__file__).parents[3] / "shared"


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All archives, unpacked; GYRUS_TEST_DICOM names a folder where they are already."""
    if "GYRUS_TEST_DICOM" in os.environ:
        return Path(os.environ["GYRUS_TEST_DICOM"])
    tool = SHARED / "tools" / "unpack_dicom.py"
    if not tool.exists():
        pytest.skip("the real files are not at hand: ../shared/tools/unpack_dicom.py is missing")
    folder = tmp_path_factory.mktemp("real")
    subprocess.run([sys.executable, str(tool), str(folder)], check=True, stdout=subprocess.DEVNULL)
    return folder


@pytest.fixture(autouse=True)
def as_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every room in an interpreter of its own."""
    monkeypatch.setattr(System, "by_fork", False)
