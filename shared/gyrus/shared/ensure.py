"""`python -m gyrus.shared.ensure`: make streams, consumers, collections and indexes, and end. Services do the same when they start."""

import asyncio
import logging

from gyrus.shared import log
from gyrus.shared.bus import Bus
from gyrus.shared.settings import Settings
from gyrus.shared.store import Store


async def ensure(settings: Settings) -> None:
    """Waits for NATS; raises where MongoDB is away."""
    bus, store = Bus(settings), Store(settings)
    await bus.connect()
    await bus.ensure()
    await store.ensure()
    await bus.close()
    store.close()
    logging.getLogger("gyrus.ensure").info("topology_made")


if __name__ == "__main__":
    log.set_up()
    asyncio.run(ensure(Settings()))
