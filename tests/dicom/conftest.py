"""Files of real scanners for the tests that claim something about them."""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[3] / "shared"
ARCHIVES, UNPACK = SHARED / "data" / "dicom", SHARED / "tools" / "unpack_dicom.py"

RealDicom = Callable[[str], Path]


@pytest.fixture(scope="session")
def real_dicom() -> RealDicom:
    """The folder of one public set by the name of its archive; unpacked once into a folder that later sessions find again."""
    if not ARCHIVES.is_dir():
        pytest.skip("../shared/data/dicom with the public sets is not there")
    home = Path(tempfile.gettempdir()) / "gyrus-real-dicom"

    def unpacked(name: str) -> Path:
        command = [sys.executable, str(UNPACK), str(home), "--only", name, "--source", str(ARCHIVES)]
        subprocess.run(command, check=True, capture_output=True)
        return home / name

    return unpacked
