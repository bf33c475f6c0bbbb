"""The subject rules of a cohort as people give them, and the files that no rule gives a code."""

from collections.abc import Sequence
from typing import Any

from gyrus.gateway.models import JobRequest
from gyrus.shared import intake
from gyrus.shared.errors import Misuse
from gyrus.shared.ids import canonical, digest
from gyrus.shared.store import Store
from gyrus.shared.subject_rules import UNMAPPED, SubjectRules
from gyrus.shared.subjects import Rule, folder_of

Document = dict[str, Any]
Place = tuple[str, str]  # source and path in it

MOST_BYTES = 12_000_000  # of all rules of a cohort: they stand in one document, and MongoDB's limit is 16 MB
MOST_NAMED = 20  # folders that are named
CHANGED = (
    "The subject rule of this place is another one now. Files that were read before keep their subject: "
    "`gyrus ingest --no-resume` reads them again."
)


async def give_rule(store: Store, request: JobRequest, place: Place) -> Document:
    """Make what a request says the rule of a place in its cohort; the job's `note` if files are known under another one.

    An empty pattern takes the rule away. A dry run changes nothing: its job bears the `rule`. Raises Misuse where the rules of the cohort
    become too large.
    """
    if request.subjects is None and request.subject_map is None:
        return {}
    source, path = place
    taken_away = not request.subjects and request.subject_map is None
    rule = Rule(source=source, path=path, pattern=request.subjects or None, map=request.subject_map)
    new = [] if taken_away else [rule.document()]
    if request.dry_run:
        return {"rule": new}
    if await _replace(store, request.cohort, place, new) and not request.again and await _knows_files(store, request.cohort, place):
        return {"note": CHANGED}
    return {}


async def _replace(store: Store, cohort: str, place: Place, new: list[Document]) -> bool:
    """Put the rule of a place into the cohort's document; whether it is another one than before."""
    await store["cohorts"].update_one({"_id": cohort}, {"$setOnInsert": {"cohort": cohort}}, upsert=True)
    while True:
        document = await store["cohorts"].find_one({"_id": cohort}, {"subjects": 1, "subjects_version": 1}) or {}
        before = document.get("subjects", [])
        rules = sorted([*(r for r in before if (r["source"], r["path"]) != place), *new], key=lambda r: (r["source"], r["path"]))
        if rules == before:
            return False
        if len(canonical(rules)) > MOST_BYTES:
            raise Misuse(
                f"The subject maps of cohort '{cohort}' would take more than {MOST_BYTES // 10**6} MB: divide it into several cohorts."
            )
        where = {"_id": cohort, "subjects_version": document.get("subjects_version")}
        change = {"$set": {"subjects": rules, "subjects_version": digest(rules)}}
        if (await store["cohorts"].update_one(where, change)).matched_count:
            return True


async def _knows_files(store: Store, cohort: str, place: Place) -> bool:
    return await store["files"].find_one(intake.place(cohort, *place), {"_id": 1}) is not None


async def unmapped(store: Store, rules: SubjectRules, cohort: str | None, phi: bool) -> Document:
    """How many files have a rule that gives them no code; with `phi` also their folders, the first few."""
    where: Document = {**({"cohort": cohort} if cohort else {}), **UNMAPPED}
    told: Document = {"files": await store["files"].count_documents(where)}
    if phi and told["files"]:
        cohorts = [cohort] if cohort else sorted(await store["files"].distinct("cohort", UNMAPPED))
        named = [folder for one in cohorts for folder in await _folders(store, await rules.of(one), one)]
        told |= {"folders": named[:MOST_NAMED]}
    return told


async def _folders(store: Store, rules: Sequence[Rule], cohort: str) -> list[str]:
    """The first folders of a cohort that have no code, as `source: folder`; from one to the next it takes one look at the index."""
    found: list[str] = []
    for source in sorted(await store["files"].distinct("source", {"cohort": cohort, **UNMAPPED})):
        after = ""
        for _ in range(10 * MOST_NAMED):
            query = {"cohort": cohort, **UNMAPPED, "source": source, "path": {"$gte": after}}
            file = await store["files"].find_one(query, {"path": 1}, sort=[("path", 1)])
            if file is None or len(found) >= MOST_NAMED:
                break
            folder = folder_of(file["path"], rules, source)
            after = file["path"] + "\0" if folder is None else folder + "0"  # "0" follows "/"
            name = f"{source}: {file['path'].rpartition('/')[0] if folder is None else folder}"
            found += [name] if name not in found else []
    return found
