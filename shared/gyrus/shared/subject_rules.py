"""Which subject rules hold for a cohort now – its own, then those of the sources – and how many files they left without a code."""

from collections.abc import Mapping
from typing import Any

from gyrus.shared.settings import Source
from gyrus.shared.sources import Sources
from gyrus.shared.store import Store
from gyrus.shared.subjects import Rule, stored

Document = dict[str, Any]
UNMAPPED: Document = {"unmapped": True, "gone": False}  # files for which a rule holds that gives them no code


class SubjectRules:
    """The rules of cohorts. What was loaded once is loaded again only when its version has changed."""

    def __init__(self, store: Store, sources: Sources) -> None:
        self._store, self._sources = store, sources
        self._held: dict[str, tuple[str | None, tuple[Rule, ...]]] = {}

    async def of(self, cohort: str) -> tuple[Rule, ...]:
        """The rules of a cohort, then those of the sources; equal to what was given before as long as nothing changed."""
        version, held = self._held.get(cohort, (None, ()))
        query = {"_id": cohort, "subjects_version": {"$ne": version}}
        newer = await self._store["cohorts"].find_one(query, {"subjects": 1, "subjects_version": 1})
        if newer is not None:
            held = tuple(stored(rule) for rule in newer.get("subjects", ()))
            self._held[cohort] = (newer.get("subjects_version"), held)
        return held + rules_of_sources(self._sources.all())


def rules_of_sources(sources: Mapping[str, Source]) -> tuple[Rule, ...]:
    """The rules that the settings give to whole sources."""
    return tuple(Rule(source=name, pattern=source.subjects) for name, source in sorted(sources.items()) if source.subjects)


async def has_rules(store: Store, cohort: str) -> bool:
    """Whether a cohort has rules of its own."""
    return await store["cohorts"].find_one({"_id": cohort, "subjects.0": {"$exists": True}}, {"_id": 1}) is not None
