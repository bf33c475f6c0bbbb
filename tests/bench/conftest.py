"""A mongod with the settings of production for all measurements, and the files."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.designs import Given
from bench.files import at_hand, write_visits
from dicom.conftest import real_dicom  # noqa: F401 - a fixture
from flow.system import System
from gyrus.console.servers import Mongo, Ports, check_system

OTHER_VISITS = 9001  # their first number


@pytest.fixture(scope="session")
def mongo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongo]:
    check_system()
    folder = tmp_path_factory.mktemp("mongo")
    server = Mongo(folder, Ports(folder).get("mongo"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is measured."""
    return at_hand(tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few other files, read before the clock starts, so that modules are loaded and processes are there."""
    return write_visits(tmp_path_factory.mktemp("few"), 100, OTHER_VISITS)


@pytest.fixture(scope="session")
def given(mongo: Mongo, few: Path, files: Path, tmp_path_factory: pytest.TempPathFactory) -> Given:
    """All that a comparison needs. The copies are further names of the same files where the file system can do that."""
    copies = tmp_path_factory.mktemp("copies") / "files"
    shutil.copytree(files, copies, copy_function=_link)
    return Given(mongo, few, files, copies)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # another file system
        shutil.copy2(source, target)


@pytest.fixture(autouse=True)
def as_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every room in an interpreter of its own."""
    monkeypatch.setattr(System, "by_fork", False)
