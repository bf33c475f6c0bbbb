"""Asking for a deletion: what it would remove is told first, what was asked is written down, and what cannot be says why."""

from typing import Any

import pytest

from gateway.conftest import Api
from gateway.stored import a_file, a_series, a_stack, a_study, a_subject, put
from gyrus.shared import debts

pytestmark = pytest.mark.asyncio(loop_scope="session")

MADE = {"refused": None, "outputs": ["x.pt"]}
IDS = {"cohort": "{}", "subject": "{}/S0", "study": "{}/1", "series": "{}/1.2"}


async def filled(api: Api, cohort: str) -> None:
    """Two stacks, one retired; two files of the series, one that names the study alone, one rejected, one deleted before."""
    said = {"study": f"{cohort}/1", "subject": f"{cohort}/S0"}
    stray = {"series": f"{cohort}/9.9", "study": f"{cohort}/1", "subject": f"{cohort}/S9", "unsettled": [f"{cohort}/9.9"]}
    files = [a_file(cohort, "a", **said), a_file(cohort, "b", **said), a_file(cohort, "c", **stray)]
    rejected = {name: value for name, value in a_file(cohort, "d", outcome="rejected").items() if name not in ("series", "header", "image")}
    buried = {"_id": f"{cohort}-e", "cohort": cohort, "rev": 2, "jobs": ["j"], "outcome": "deleted", "deleted": "01"}
    stacks = [a_stack(cohort, "a", volume=MADE), a_stack(cohort, "b", retired=True), a_stack(cohort, "c", volume={"refused": "vanished"})]
    documents = {"subjects": [a_subject(cohort)], "studies": [a_study(cohort)], "series": [a_series(cohort)]}
    await put(api.store, files=[*files, rejected, buried], stacks=stacks, **documents)


COUNTED = {
    "cohort": {"subjects": 1, "studies": 1, "series": 1, "files": 4, "stacks": 2, "volumes": 1},
    "subject": {"subjects": 1, "studies": 1, "series": 1, "files": 2, "stacks": 2, "volumes": 1},
    "study": {"subjects": 0, "studies": 1, "series": 1, "files": 3, "stacks": 2, "volumes": 1},
    "series": {"subjects": 0, "studies": 0, "series": 1, "files": 2, "stacks": 2, "volumes": 1},
}


@pytest.mark.parametrize("level", IDS)
async def test_what_a_deletion_would_remove_is_told_and_nothing_happens(api: Api, cohort: str, level: str) -> None:
    await filled(api, cohort)
    id_ = IDS[level].format(cohort)

    told = await api.get("/deletions/preview", **{level: id_})

    assert told == {"scope": {"level": level, "id": id_}, "counts": COUNTED[level]}
    assert await api.store["deletions"].count_documents({"cohort": cohort}) == 0
    assert await api.audited(cohort) == []


@pytest.mark.parametrize("level", IDS)
async def test_a_deletion_is_owed_audited_listed_and_got(api: Api, cohort: str, level: str) -> None:
    await filled(api, cohort)
    scope = {"level": level, "id": IDS[level].format(cohort)}

    started = await api.post("/deletions", 201, {"scope": {level: scope["id"]}})

    assert (started["state"], started["scope"], started["counts"]) == ("working", scope, COUNTED[level])
    assert await api.get(f"/deletions/{started['id']}") == started
    assert (await api.get("/deletions", cohort=cohort))["items"] == [started]
    assert (await api.get("/status", cohort=cohort))["owed"]["delete"] == 1
    document = await api.store["deletions"].find_one({"_id": started["id"]})
    assert debts.owes(document, "delete")
    record = await api.store["audit"].find_one({"cohort": cohort}) or {}
    assert (record["what"], record["scope"], record["counts"], record["deletion"]) == ("delete", scope, COUNTED[level], started["id"])
    assert record["caller"] == "127.0.0.1"


async def test_a_deletion_that_waits_failed_or_is_done_says_so(api: Api, cohort: str) -> None:
    await filled(api, cohort)
    id_ = (await api.post("/deletions", 201, {"scope": {"cohort": cohort}}))["id"]
    await api.store["deletions"].update_one({"_id": id_}, {"$set": {"owed.delete.waiting": "3 series are to be settled"}})
    assert (await api.get(f"/deletions/{id_}"))["waiting_for"] == "3 series are to be settled"
    assert (await api.get("/status", cohort=cohort))["waiting_for"] == ["3 series are to be settled"]

    for _ in range(5):
        await api.store["deletions"].update_one({"_id": id_}, debts.failed("delete", 1, "RuntimeError: no", "mend it"))
    failed = await api.get(f"/deletions/{id_}")
    assert (failed["state"], failed["failure"]["error"]) == ("failed", "RuntimeError: no")
    assert await api.post("/failures/retry", body={"stage": "delete", "id": id_}) == {"count": 1}

    change: Any = debts.paid("delete")
    change["$currentDate"] = {"finished_at": True}
    await api.store["deletions"].update_one({"_id": id_}, change)
    done = await api.get(f"/deletions/{id_}")
    assert (done["state"], done["waiting_for"], done["failure"]) == ("done", None, None)


@pytest.mark.parametrize("level", IDS)
async def test_where_there_is_nothing_a_deletion_is_refused(api: Api, cohort: str, level: str) -> None:
    detail = (await api.post("/deletions", 409, {"scope": {level: IDS[level].format(cohort)}}))["detail"]

    assert IDS[level].format(cohort) in detail
    assert await api.audited(cohort) == []
    await api.get("/deletions/preview", 409, **{level: IDS[level].format(cohort)})


@pytest.mark.parametrize("scope", [{}, {"cohort": "a", "study": "a/1"}, {"stack": "a/1/2"}, None])
async def test_a_scope_that_is_not_exactly_one_is_refused(api: Api, scope: Any) -> None:
    await api.post("/deletions", 422, {"scope": scope})
    await api.get("/deletions/preview", 422, **(scope or {}))


async def test_a_deletion_that_there_is_not_is_not_found(api: Api) -> None:
    assert "List them" in (await api.get("/deletions/nothing", 404))["detail"]


async def test_what_remains_of_a_file_is_counted_as_deleted_and_says_nothing(api: Api, cohort: str) -> None:
    await filled(api, cohort)

    told = await api.get("/status", cohort=cohort)
    [shown] = (await api.get("/files", cohort=cohort, outcome="deleted", phi=True))["items"]

    assert (told["counts"]["files"], told["outcomes"]["deleted"]) == (4, 1)
    assert {name for name, value in shown.items() if value is not None} == {"id", "cohort", "outcome"}
