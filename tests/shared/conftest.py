"""A real mongod for the tests of what all rooms stand on, a database for each."""

import secrets
from collections.abc import AsyncIterator

import pytest

from flow.conftest import mongo
from gyrus.console.servers import Mongo
from gyrus.shared.settings import Settings
from gyrus.shared.store import Store

__all__ = ["mongo"]


@pytest.fixture
async def store(mongo: Mongo) -> AsyncIterator[Store]:
    made = Store(Settings(mongo_url=mongo.url, mongo_database=f"t{secrets.token_hex(6)}"))
    yield made
    await made.drop()
    made.close()
