"""Looking after debts: ring for those that nobody rang for, and count them."""

from collections.abc import Sequence

from gyrus.shared import debts, metrics
from gyrus.shared.bells import bell
from gyrus.shared.bus import Bus
from gyrus.shared.store import Store
from gyrus.shared.topology import Stage

AT_MOST = 1000  # rings a round
VERY_OLD_S = 3600.0


class Sweep:
    """The debts of one room's stages."""

    def __init__(self, store: Store, bus: Bus, stages: Sequence[Stage], after_s: float) -> None:
        self.store, self.bus, self.stages, self.after_s = store, bus, stages, after_s

    async def ring(self) -> None:
        """Ring for old debts when the consumer has nothing to do, and for very old ones in any case."""
        for stage in self.stages:
            if stage.event is None:
                continue
            after_s = self.after_s if await self.bus.pending(stage) == 0 else max(VERY_OLD_S, self.after_s)
            old = {"$lt": [f"$owed.{stage.name}.since", {"$subtract": ["$$NOW", round(after_s * 1000)]}]}
            fields = {"cohort": 1, f"owed.{stage.name}": 1}
            async for debt in self.store[stage.collection].find({**debts.is_owed(stage.name), "$expr": old}, fields).limit(AT_MOST):
                await self.bus.ring(bell(stage, debt)[0])
                metrics.RINGS.labels(stage.name).inc()

    async def count(self) -> None:
        """How much is owed, how old the oldest is, how much failed: as metrics."""
        for stage in self.stages:
            collection, owed, since = self.store[stage.collection], debts.is_owed(stage.name), f"owed.{stage.name}.since"
            now = await self.store.now()
            oldest = await collection.find_one(owed, {since: 1}, sort=[(since, 1)])
            age_s = (now - oldest["owed"][stage.name]["since"]).total_seconds() if oldest else 0.0
            metrics.OLDEST.labels(stage.name).set(max(age_s, 0.0))
            metrics.OWED.labels(stage.name).set(await collection.count_documents(owed))
            metrics.FAILURES.labels(stage.name).set(await collection.count_documents({"failure.stage": stage.name}))
