"""A gateway as a process beside real servers, and documents put straight into its database."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from flow.conftest import mongo
from flow.system import System, eventually
from gyrus.console.servers import Mongo

__all__ = ["mongo"]

KEY = "a key for tests only"


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gateway")
