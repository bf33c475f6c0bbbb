"""One cached data set that all tests read, and none changes."""

from pathlib import Path

import pytest

from datasets.small import write_cached


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cached(tmp_path_factory.mktemp("data set"))
