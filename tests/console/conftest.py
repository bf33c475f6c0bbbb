"""The sample cohort, written once for all tests that look at it."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from gyrus.console.sample import SampleSummary, write_sample


@dataclass(frozen=True)
class Sample:
    """The folder, and what was said when it was written."""

    folder: Path
    summary: SampleSummary


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """A written sample cohort. Not to be changed."""
    folder = tmp_path_factory.mktemp("sample")
    return Sample(folder, write_sample(folder))
