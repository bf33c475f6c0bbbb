"""Documents that nobody asks for, many in each collection: whoever reads a collection as a whole, or a whole cohort, reads them too."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from gyrus.classifier.core import load_rules
from gyrus.shared.policy import Policy
from gyrus.shared.store import Store

Document = dict[str, Any]
COUNT = 400  # in a collection, in each of both cohorts
ELSEWHERE = "elsewhere"  # their own cohort; its series owe `settle` from tomorrow on


async def put(store: Store, cohort: str) -> None:
    """Put them into a cohort, and into one of their own."""
    tomorrow = await store.now() + timedelta(days=1)
    debt = {"settle": {"n": 1, "since": await store.now(), "due": tomorrow, "tries": 0, "jobs": ["an earlier job"]}}
    ruleset = load_rules(None).digest
    for where in (cohort, ELSEWHERE):
        rows = [_documents(where, number, ruleset) for number in range(COUNT)]
        if where == ELSEWHERE:
            rows = [{**row, "series": {**row["series"], "owed": debt}} for row in rows]
        for collection in rows[0]:
            await store.insert_new(collection, [row[collection] for row in rows])


def _documents(cohort: str, number: int, ruleset: str) -> Mapping[str, Document]:
    """One of each collection."""
    id_, above = f"0{cohort}{number:04}", {"study": f"{cohort}/0.{number // 4}", "subject": f"{cohort}/B{number // 8}"}
    series = f"{cohort}/0.{number}.1"
    file = {"source": "archive", "path": f"x/{number:04}", "gone": False, "size": 1, "mtime_ns": 1, "rev": 1, "jobs": ["an earlier job"]}
    said = {"outcome": "extracted", "series": series, **above} if number % 2 else {"outcome": "rejected", "reason": "not_dicom"}
    policy = Policy()
    label = {"of": {"ruleset": ruleset, "policy": policy.digest, "version": "v"}, "plan": policy.plan(None, {})}
    return {
        "jobs": {"_id": id_, "cohort": cohort, "source": "archive", "path": id_, "options": {}, "totals": {"seen": 1, "unaccounted": 0}},
        "batches": {"_id": id_, "cohort": cohort, "job": "an earlier job", "files": [{"id": id_, "path": "x", "size": 1, "mtime_ns": 1}]},
        "files": {"_id": id_, "cohort": cohort, **file, **said},
        "headers": {"_id": f"{series}/0", "cohort": cohort, "series": series, "fields": {}},
        "series": {"_id": series, "cohort": cohort, **above, "studies": [above["study"]], "subjects": [above["subject"]], "conflicts": []},
        "studies": {"_id": f"{cohort}/0.{number}", "cohort": cohort, "subject": above["subject"], "conflicts": []},
        "subjects": {"_id": f"{cohort}/B{number}", "cohort": cohort, "code": f"B{number}"},
        "stacks": {
            "_id": f"{series}/0",
            "cohort": cohort,
            "series": series,
            **above,
            "retired": False,
            "fingerprint": {},
            "classification": label,
        },
        "corrections": {"_id": id_, "stack": f"{series}/0"},
        "deletions": {"_id": id_, "cohort": cohort, "scope": {"level": "series", "id": series}, "series": [series], "swept": True},
        "audit": {"_id": id_, "cohort": cohort, "what": "nothing"},
        "dead_letters": {"_id": id_, "body": b"", "error": ""},
    }
