"""What people make happen becomes a debt and a bell, and is written down; what cannot be says what can."""

from typing import Any

import pytest

from gateway.conftest import Api
from gateway.stored import a_series, a_stack, a_study, put
from gateway.test_key import ROUTES
from gyrus.shared import debts
from gyrus.shared.topology import STAGES

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def pending(api: Api, stage: str) -> int:
    return await api.system.bus.pending(STAGES[stage])


async def test_a_job_of_a_source_is_started_listed_and_got(api: Api, cohort: str) -> None:
    before = await pending(api, "scan")

    [job] = await api.post("/jobs", 201, {"cohort": cohort, "source": "inbox", "path": "a/b/", "batch_files": 7})

    assert (job["state"], job["owed"], job["options"]["batch_files"]) == ("working", {"scan": 1}, 7)
    assert await api.get(f"/jobs/{job['id']}") == job
    assert (await api.get("/jobs", cohort=cohort))["items"] == [job]
    document = await api.store["jobs"].find_one({"_id": job["id"]}) or {}
    assert (document["path"], document["owed"]["scan"]["n"]) == ("a/b", 1)
    assert await pending(api, "scan") == before + 1
    assert await api.audited(cohort) == ["start jobs"]


async def test_a_job_of_a_folder_finds_its_source(api: Api, cohort: str) -> None:
    [job] = await api.post("/jobs", 201, {"cohort": cohort, "folder": f"{api.system.inbox}/new"})

    document = await api.store["jobs"].find_one({"_id": job["id"]}) or {}
    assert (document["source"], document["path"]) == ("inbox", "new")


async def test_a_job_without_a_place_scans_the_places_of_its_cohort_none_twice(api: Api, cohort: str) -> None:
    for path in ("a", "a/b", "ab", "a"):
        await api.post("/jobs", 201, {"cohort": cohort, "source": "inbox", "path": path})

    jobs = await api.post("/jobs", 201, {"cohort": cohort})

    assert [(await api.store["jobs"].find_one({"_id": job["id"]}) or {})["path"] for job in jobs] == ["a", "ab"]


async def test_jobs_are_paged_oldest_first(api: Api, cohort: str) -> None:
    started = [(await api.post("/jobs", 201, {"cohort": cohort, "source": "inbox"}))[0]["id"] for _ in range(3)]

    assert [id_ for page in await api.walk("/jobs", cohort=cohort, limit=2) for id_ in page] == started


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"folder": "/elsewhere/x"}, ("/elsewhere/x", "inbox = ")),
        ({"folder": "relative"}, ("relative", "absolute")),
        ({"source": "outbox"}, ("outbox", "Sources: inbox")),
        ({}, ("was not fed from anywhere", "name a folder")),
    ],
)
async def test_a_place_that_the_servers_do_not_see_is_refused_with_those_that_they_do(
    api: Api, cohort: str, asked: dict[str, str], words: tuple[str, ...]
) -> None:
    detail = (await api.post("/jobs", 409, {"cohort": cohort, **asked}))["detail"]

    assert all(word in detail for word in words)
    assert await api.store["jobs"].count_documents({"cohort": cohort}) == 0


@pytest.mark.parametrize("asked", [{"source": "inbox", "path": "../elsewhere"}, {"source": "inbox", "path": "a/../../elsewhere"}])
async def test_a_path_that_leads_out_of_its_source_is_refused(api: Api, cohort: str, asked: dict[str, str]) -> None:
    await api.post("/jobs", 409, {"cohort": cohort, **asked})


@pytest.mark.parametrize(
    "wrong", [{"cohort": "Upper"}, {"cohort": "a/b"}, {"cohort": ""}, {"surprise": 1}, {"batch_files": 0}, {"quiet_s": -1}]
)
async def test_a_request_that_is_not_understood_is_refused(api: Api, wrong: dict[str, Any]) -> None:
    await api.post("/jobs", 422, {"source": "inbox", **wrong})


async def test_the_sources_are_told(api: Api) -> None:
    assert (await api.get("/sources"))["inbox"]["path"] == str(api.system.inbox)


async def test_what_failed_is_told_and_owed_again_once_somebody_asks(api: Api, cohort: str) -> None:
    await put(api.store, studies=[a_study(cohort)], series=[a_series(cohort)])
    for collection, stage in (("studies", "classify"), ("series", "settle")):
        await api.store[collection].update_one({"cohort": cohort}, debts.owe(stage))
        for _ in range(5):
            await api.store[collection].update_one({"cohort": cohort}, debts.failed(stage, 1, "RuntimeError: no", "mend it"))
    before = await pending(api, "classify")

    told = await api.get("/failures", cohort=cohort)
    assert {(failure["stage"], failure["id"], failure["error"], failure["advice"]) for failure in told} == {
        ("classify", f"{cohort}/1", "RuntimeError: no", "mend it"),
        ("settle", f"{cohort}/1.2", "RuntimeError: no", "mend it"),
    }

    assert await api.post("/failures/retry", body={"stage": "classify", "id": "another"}) == {"count": 0}
    assert await api.post("/failures/retry", body={"stage": "classify"}) == {"count": 1}
    assert await pending(api, "classify") == before + 1
    assert [failure["stage"] for failure in await api.get("/failures", cohort=cohort)] == ["settle"]

    assert await api.post("/failures/retry", body={"id": f"{cohort}/1.2"}) == {"count": 1}
    assert await api.get("/failures", cohort=cohort) == []
    series = await api.store["series"].find_one({"_id": f"{cohort}/1.2"}) or {}
    assert series["owed"]["settle"]["due"] <= await api.store.now()
    assert "retry" in await api.audited(None)


async def test_totals_that_lack_files_are_taken_again_once_somebody_asks_and_those_of_a_dry_run_are_not(api: Api, cohort: str) -> None:
    counted = {"_id": f"{cohort}-dry", "cohort": cohort, "options": {"dry_run": True}, "totals": {"seen": 5, "folders": 1}}
    lacking = {"_id": f"{cohort}-real", "cohort": cohort, "options": {}, "totals": {"seen": 5, "unaccounted": 3}, "lacking": True}
    await put(api.store, jobs=[counted, lacking])

    await api.post("/failures/retry", body={"stage": "read"})

    assert [job["_id"] async for job in api.store["jobs"].find({"cohort": cohort, "open": True})] == [f"{cohort}-real"]


async def test_a_stage_that_there_is_not_is_refused_with_those_that_there_are(api: Api) -> None:
    detail = (await api.post("/failures/retry", 409, {"stage": "sorting"}))["detail"]

    assert "scan, read, settle, classify, preprocess" in detail


async def test_dead_letters_are_paged_with_their_bodies_as_text(api: Api) -> None:
    letters = [{"_id": f"0{number}", "stage": "read", "body": b"\xff{" + b"x" * 5000, "error": "no JSON"} for number in range(3)]
    await put(api.store, dead_letters=letters)

    assert await api.walk("/dead-letters", limit=2) == [["00", "01"], ["02"]]
    [first] = (await api.get("/dead-letters", limit=1))["items"]
    assert (first["body"][:3], len(first["body"]), first["error"]) == ("\ufffd{x", 2000, "no JSON")


async def test_series_that_wait_for_quiet_are_due_at_once_when_somebody_asks(api: Api, cohort: str) -> None:
    await put(api.store, series=[a_series(cohort)])
    await api.store["series"].update_one({"cohort": cohort}, debts.owe("settle", quiet_s=500, cap_s=900))

    assert await api.post("/settle", cohort=cohort) == {"count": 1}

    series = await api.store["series"].find_one({"cohort": cohort}) or {}
    assert series["owed"]["settle"]["due"] <= await api.store.now()
    assert await api.audited(cohort) == ["settle now"]


async def test_after_a_restored_backup_everything_is_looked_at_again(api: Api, cohort: str) -> None:
    made, refused, none = {"refused": None, "outputs": ["x"]}, {"refused": "vanished"}, None
    stacks = [a_stack(cohort, name, volume=volume) for name, volume in (("a", made), ("b", refused), ("c", none))]
    await put(api.store, series=[a_series(cohort)], stacks=stacks)
    await api.post("/jobs", 201, {"cohort": cohort, "source": "inbox", "path": "a"})

    assert (await api.post("/reconcile"))["count"] >= 1

    told = await api.get("/status", cohort=cohort)
    assert told["owed"] == {"scan": 2, "read": 0, "settle": 1, "classify": 0, "preprocess": 1, "diff": 0, "apply": 0, "delete": 0}
    assert await api.store["stacks"].count_documents({"cohort": cohort, "_id": f"{cohort}/1.2/a", **debts.is_owed("preprocess")}) == 1
    assert "reconcile" in await api.audited(None)


@pytest.mark.parametrize("body", [b"\xff\xfe", b"{", b'{"quiet_s": NaN}', b'{"quiet_s": 1e999}', b'{"cohort": "\\ud800"}', b"[]"])
async def test_a_body_that_makes_no_sense_is_refused_in_words_that_do_not_repeat_it(api: Api, body: bytes) -> None:
    answer = await api.client.post(f"{api.url}/api/v1/jobs", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code in (400, 422)
    assert isinstance(answer.json()["detail"], str)
    assert "input" not in answer.json()


@pytest.mark.parametrize("query", ["unknown=1", "cohort[$ne]=x", "outcome[]=rejected"])
async def test_a_question_that_is_not_understood_is_refused_not_answered_with_everything(api: Api, query: str) -> None:
    assert (await api.client.get(f"{api.url}/api/v1/files?{query}")).status_code == 422


@pytest.mark.parametrize("route", sorted(ROUTES))
async def test_no_route_takes_a_parameter_that_it_does_not_know(api: Api, route: str) -> None:
    method, path = route.split()

    refused = await api.client.request(method, f"{api.url}{path}", params={"chort": "trial"})

    assert refused.status_code == 422
    assert refused.json()["detail"].startswith("query.chort: there is no such parameter here. Parameters: ")
