import pytest

from gyrus.classifier.core import Ruleset, load_rules


@pytest.fixture(scope="session")
def ruleset() -> Ruleset:
    """The rules that come with the package."""
    return load_rules()
