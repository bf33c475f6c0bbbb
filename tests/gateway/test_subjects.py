"""The subject rule of a place comes with a job and is kept on the cohort; what it leaves open is counted, and named if asked for."""

from typing import Any

import pytest

from gateway.conftest import Api
from gateway.stored import a_file, put
from gyrus.gateway import subjects

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def rules(api: Api, cohort: str) -> list[dict[str, Any]]:
    return list((await api.store["cohorts"].find_one({"_id": cohort}) or {}).get("subjects", []))


async def start(api: Api, cohort: str, **asked: Any) -> dict[str, Any]:
    [job] = await api.post("/jobs", 201, {"cohort": cohort, "source": "inbox", **asked})
    return dict(job)


async def test_a_rule_is_kept_on_the_cohort_one_for_each_place(api: Api, cohort: str) -> None:
    await start(api, cohort, path="b", subject_map={"x.y": "P1", "$z/": "P2"})
    await start(api, cohort, path="a", subjects="/*/{subject}/")
    await start(api, cohort, path="a", subjects="{subject}", subject_map={"x": "P1"})
    await start(api, cohort, path="a")

    assert await rules(api, cohort) == [
        {"source": "inbox", "path": "a", "pattern": "{subject}", "map": [["x", "P1"]]},
        {"source": "inbox", "path": "b", "map": [["$z", "P2"], ["x.y", "P1"]]},
    ]


async def test_a_cohort_that_is_fed_from_several_places_gets_the_rule_for_each(api: Api, cohort: str) -> None:
    for path in ("a", "b"):
        await start(api, cohort, path=path)

    await api.post("/jobs", 201, {"cohort": cohort, "subjects": "sub-{subject}"})

    assert [(rule["path"], rule["pattern"]) for rule in await rules(api, cohort)] == [("a", "sub-{subject}"), ("b", "sub-{subject}")]


async def test_an_empty_pattern_takes_the_rule_away(api: Api, cohort: str) -> None:
    await start(api, cohort, subjects="{subject}")
    await start(api, cohort, subjects="")

    assert await rules(api, cohort) == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"subjects": "raw/*"}, "must say {subject} once"),
        ({"subjects": 7}, "subjects"),
        ({"subject_map": {"x": "Jane Doe"}}, "'Jane Doe', which is none: write letters"),
        ({"subject_map": {"x": "Sa753c95627089f64"}}, "not S with 16 hexadecimal digits"),
        ({"subject_map": {"": "P1"}}, "no folder for the code 'P1'"),
        ({"subject_map": {"x": 7}}, "subject_map"),
        ({"subject_map": {str(number): "P1" for number in range(100_001)}}, "100000"),
    ],
)
async def test_a_rule_that_cannot_be_used_is_refused_before_anything_is_started(
    api: Api, cohort: str, wrong: dict[str, Any], words: str
) -> None:
    detail = (await api.post("/jobs", 422, {"cohort": cohort, "source": "inbox", **wrong}))["detail"]

    assert words in detail
    assert await api.store["jobs"].count_documents({"cohort": cohort}) == await api.store["cohorts"].count_documents({"_id": cohort}) == 0


async def test_rules_that_no_document_can_hold_are_refused(api: Api, cohort: str) -> None:
    large = {f"{'x' * 1000}{number}": "P1" for number in range(12_000)}

    detail = (await api.post("/jobs", 409, {"cohort": cohort, "source": "inbox", "subject_map": large}))["detail"]

    assert "more than 12 MB" in detail
    assert await rules(api, cohort) == []


async def test_a_job_tells_that_known_files_keep_the_subject_of_another_rule(api: Api, cohort: str) -> None:
    await put(api.store, files=[a_file(cohort, "a", path="ab/P1/0.dcm")])

    notes = [
        (await start(api, cohort, path="a", subjects="{subject}"))["note"],
        (await start(api, cohort, path="ab", subjects="{subject}"))["note"],
        (await start(api, cohort, path="ab", subjects="{subject}"))["note"],
        (await start(api, cohort, path="ab", subjects="sub-{subject}", again=True))["note"],
        (await start(api, cohort, path="ab", subjects="{subject}"))["note"],
        (await start(api, cohort, path="ab"))["note"],
    ]

    assert notes == [None, subjects.CHANGED, None, None, subjects.CHANGED, None]
    assert "`gyrus ingest --no-resume` reads them again" in subjects.CHANGED


async def test_files_without_a_code_are_counted_and_their_folders_named_only_with_phi(api: Api, cohort: str) -> None:
    await start(api, cohort, path="trial", subjects="{subject}", subject_map={"known": "P1"})
    paths = ["trial/Doe/1", "trial/Doe/t1/2", "trial/Doe, J/3", "trial/0", "trial/1", "trial/Doe0/4"]
    files = [a_file(cohort, str(number), path=path, unmapped=True) for number, path in enumerate(paths)]
    gone = a_file(cohort, "gone", path="trial/gone/0", unmapped=True, gone=True)
    await put(api.store, files=[*files, gone, a_file(cohort, "mapped", path="trial/known/0")])

    plain, phi = await api.get("/status", cohort=cohort), await api.get("/status", cohort=cohort, phi=True)

    assert plain["unmapped"] == {"files": 6}
    assert phi["unmapped"] == {"files": 6, "folders": ["inbox: trial", "inbox: trial/Doe, J", "inbox: trial/Doe", "inbox: trial/Doe0"]}
    assert "get status with identifying fields" in await api.audited(cohort)
    assert "inbox: trial/Doe" in (await api.get("/status", phi=True))["unmapped"]["folders"]


async def test_not_more_folders_are_named_than_a_person_reads(api: Api, cohort: str) -> None:
    await start(api, cohort, subject_map={})
    await put(api.store, files=[a_file(cohort, str(n), path=f"f{n:02}/0", unmapped=True) for n in range(30)])

    told = (await api.get("/status", cohort=cohort, phi=True))["unmapped"]

    assert told == {"files": 30, "folders": [f"inbox: f{n:02}" for n in range(20)]}


async def test_totals_are_told_with_the_job(api: Api, cohort: str) -> None:
    job = await start(api, cohort)
    await api.store["jobs"].update_one({"_id": job["id"]}, {"$set": {"totals": {"extracted": 3, "unmapped": 2}}})

    assert (await api.get(f"/jobs/{job['id']}"))["totals"] == {"extracted": 3, "unmapped": 2}
