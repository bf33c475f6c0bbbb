"""A real mongod for all tests of the flow, a real nats-server and a database for each."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from flow import cohort
from flow.system import System
from gyrus.console.servers import Mongo, Ports, check_system


@contextlib.contextmanager
def mongod(folder: Path) -> Iterator[Mongo]:
    """A real mongod; a killed settler's transaction ends soon."""
    check_system()
    folder.mkdir(exist_ok=True)
    server = Mongo(folder, Ports(folder).get("mongo"), transaction_s=2)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def mongo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongo]:
    with mongod(tmp_path_factory.mktemp("mongo")) as server:
        yield server


@pytest.fixture
async def system(tmp_path: Path, mongo: Mongo) -> AsyncIterator[System]:
    made = await System(tmp_path, mongo).open()
    yield made
    await made.close()


async def run_undisturbed(system: System) -> dict[str, Any]:
    """The cohort in two jobs, nobody killed, no sweeps: the bells alone bring it to rest."""
    cohort.first(system.inbox)
    system.start_all()
    await system.ingest()
    await system.at_rest()
    cohort.second(system.inbox)
    await system.ingest()
    await system.at_rest()
    await system.no_orphans()
    return await system.dump()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, mongo: Mongo) -> dict[str, Any]:
    """The dump that every disturbed run must equal."""

    async def run() -> dict[str, Any]:
        system = await System(tmp_path_factory.mktemp("undisturbed"), mongo).open()
        try:
            return await run_undisturbed(system)
        finally:
            await system.close()

    return asyncio.run(run())
