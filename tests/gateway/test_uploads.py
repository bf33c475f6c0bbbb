"""Uploads over HTTP: what comes is kept below its cohort and gets a job, or nothing of it is; the gateway answers others meanwhile."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from pydantic import ValidationError

from flow.system import System, eventually
from gateway.conftest import KEY, Api
from gateway.zips import a_zip, below, members_of
from gyrus.console.servers import Mongo
from gyrus.shared.settings import Settings, Source
from gyrus.shared.sources import Sources

pytestmark = pytest.mark.asyncio(loop_scope="session")

MB = 1_000_000
LIMITS = {"GYRUS_UPLOAD_MAX_BYTES": str(20 * MB), "GYRUS_UPLOAD_MAX_MEMBERS": "50", "GYRUS_UPLOADS_AT_ONCE": "2"}
TIMES = {"GYRUS_UPLOAD_IDLE_S": "10", "GYRUS_UPLOAD_GRACE_S": "1"}
DICOM = bytes(128) + b"DICM" + bytes(100)


class House(Api):
    """A gateway that takes uploads."""

    def __init__(self, system: System, port: int) -> None:
        super().__init__(system, port)
        self.root = system.folder / "uploads"

    async def upload(self, body: Any, cohort: str, code: int = 201, name: str = "", **asked: Any) -> Any:
        headers = {"Gyrus-Name": name} if name else {}
        answer = await self.client.post("/uploads", content=body, params={"cohort": cohort, **asked}, headers=headers)
        assert answer.status_code == code, answer.text
        return answer.json()

    def files(self, cohort: str) -> dict[str, bytes]:
        return below(self.root / cohort)

    async def nothing_of(self, cohort: str) -> bool:
        """Whether no trace is left: no file, no part, no job."""
        parts = list((self.root / ".part").glob(f"{cohort}.*"))
        return not self.files(cohort) and not parts and not await self.store["jobs"].find_one({"cohort": cohort})


async def house_in(folder: Path, mongo: Mongo, **environment: str) -> House:
    system = await System(folder, mongo, **environment).open()
    port = system._ports.get("http")
    system.start("gateway", GYRUS_HTTP_PORT=str(port))
    made = House(system, port)
    made.root.mkdir(exist_ok=True)
    await eventually(made.is_up, "the gateway is up")
    return made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(mongo: Mongo, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("uploads")
    made = await house_in(folder, mongo, GYRUS_UPLOADS=str(folder / "uploads"), **LIMITS, **TIMES)
    yield made
    await made.close()
    await made.system.close()


class Slow:
    """A body that comes as far as it is let."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces, self.go, self.begun = pieces, asyncio.Event(), asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.pieces[0]
        self.begun.set()
        await self.go.wait()
        for piece in self.pieces[1:]:
            yield piece


async def said(house: House, cohort: str, length: int, body: bytes) -> bytes:
    """The answer to an upload that announces a length and sends no more than this."""
    reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(house.url).port)
    words = f"POST /api/v1/uploads?cohort={cohort} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {length}\r\n\r\n"
    writer.write(words.encode() + body)
    answer = await asyncio.wait_for(reader.read(), 60)  # until it closes: head and body may come apart
    writer.close()
    return answer


async def under_way(house: House, cohort: str, count: int = 1) -> None:
    async def there() -> bool:
        return len(list((house.root / ".part").glob(f"{cohort}.*/body"))) == count

    await eventually(there, "the upload is under way")


# ── what is taken ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_file_gets_a_folder_of_its_own_a_job_and_a_record_without_its_name(house: House, cohort: str) -> None:
    told = await house.upload(DICOM, cohort, name="DOE%20JANE/%C3%A4.dcm", quiet_s=7)

    assert house.files(cohort) == {f"{told['upload']}/DOE JANE/ä.dcm": DICOM}
    assert (told["files"], told["bytes"], told["refused"], told["refused_count"]) == (1, len(DICOM), [], 0)
    assert (told["job"]["cohort"], told["job"]["source"], told["job"]["owed"]) == (cohort, "uploads", {"scan": 1})
    job = await house.store["jobs"].find_one({"_id": told["job"]["id"]}) or {}
    assert (job["path"], job["quiet_s"]) == (f"{cohort}/{told['upload']}", 7)
    record = await house.store["audit"].find_one({"cohort": cohort}) or {}
    assert {key: record[key] for key in record.keys() - {"_id", "at"}} == {
        "what": "upload", "cohort": cohort, "upload": told["upload"], "files": 1, "bytes": len(DICOM), "refused": 0,
    }  # fmt: skip


async def test_a_zip_is_known_by_its_content_and_its_bad_members_are_named(house: House, cohort: str) -> None:
    told = await house.upload(a_zip([("S1/1", DICOM), ("../x", b"x"), ("notes.txt", b"y")]), cohort, name="scan.dcm")

    assert house.files(cohort) == {f"{told['upload']}/S1/1": DICOM, f"{told['upload']}/notes.txt": b"y"}
    assert told["refused"] == [{"name": "../x", "reason": "leads_out", "detail": "The name leads out of its folder."}]
    assert (told["files"], told["bytes"], told["refused_count"]) == (2, len(DICOM) + 1, 1)


async def test_a_file_is_as_old_as_its_sender_says(house: House, cohort: str) -> None:
    for given in ("Sun, 06 Nov 1994 08:49:37 GMT", "yesterday", "Sun, 06 Nov 9994 08:49:37 GMT"):
        await house.client.post("/uploads", content=DICOM, params={"cohort": cohort}, headers={"Last-Modified": given})

    times = sorted(path.stat().st_mtime for path in (house.root / cohort).rglob("upload"))
    assert times[0] == 784_111_777
    assert all(784_111_777 < time < 1 << 32 for time in times[1:])


async def test_a_dicom_file_that_begins_like_a_zip_is_a_dicom_file(house: House, cohort: str) -> None:
    polyglot = b"PK\x03\x04" + DICOM[4:]

    told = await house.upload(polyglot, cohort)

    assert house.files(cohort) == {f"{told['upload']}/upload": polyglot}


async def test_all_uploads_of_a_cohort_are_one_place_to_look_at_again(house: House, cohort: str) -> None:
    for _ in range(3):
        await house.upload(DICOM, cohort)

    document = await house.store["cohorts"].find_one({"_id": cohort}) or {}
    assert document["fed_from"] == [{"source": "uploads", "path": cohort}]
    assert len(await house.post("/jobs", 201, {"cohort": cohort})) == 1


async def test_two_uploads_at_once_do_not_meet_and_a_third_is_told_when_to_come_again(house: House, cohort: str) -> None:
    bodies = [Slow(a_zip([("a", b"x" * number)])[:20], a_zip([("a", b"x" * number)])[20:]) for number in (1, 2)]
    tasks = [asyncio.create_task(house.upload(body, cohort)) for body in bodies]
    await under_way(house, cohort, 2)

    answer = await house.client.post("/uploads", content=DICOM, params={"cohort": cohort})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert "2 uploads are under way" in answer.json()["detail"]
    for body in bodies:
        body.go.set()
    told = await asyncio.gather(*tasks)

    assert house.files(cohort) == {f"{one['upload']}/a": b"x" * number for number, one in zip((1, 2), told, strict=True)}
    await house.upload(DICOM, cohort)


async def test_others_are_answered_while_a_zip_is_unpacked(house: House, cohort: str) -> None:
    members = a_zip([(f"{number}", os.urandom(2_000) * 200) for number in range(45)])
    task = asyncio.create_task(house.upload(members, cohort))
    answered = 0
    while not task.done():
        await house.get("/sources")
        answered += 1

    assert (await task)["files"] == 45
    assert answered > 1


# ── what is refused whole ────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_length_beyond_the_limit_is_refused_before_anything_comes(house: House, cohort: str) -> None:
    answer = await said(house, cohort, 21 * MB, b"")

    assert answer.startswith(b"HTTP/1.1 413")
    assert b"GYRUS_UPLOAD_MAX_BYTES" in answer
    assert await house.nothing_of(cohort)


async def test_a_body_that_grows_beyond_the_limit_is_refused(house: House, cohort: str) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(21):
            yield bytes(MB)

    assert "20 MB" in (await house.upload(endless(), cohort, 413))["detail"]
    assert await house.nothing_of(cohort)


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (a_zip([("a", os.urandom(900)), ("b", b"x")])[:-40], 422, "cut off"),
        (a_zip([]), 422, "Nothing of this zip"),
        (a_zip([("../a", b"x"), ("/b", b"x")]), 422, "2 members are refused. '../a': The name leads out"),
        (a_zip((f"{number}", b"x") for number in range(51)), 413, "more than 50 members"),
        (a_zip((f"{number}", bytes(MB)) for number in range(21)), 413, "20 MB"),
    ],
    ids=["cut off", "empty", "nothing to keep", "too many", "too large unzipped"],
)
async def test_a_zip_of_which_nothing_is_kept_leaves_no_trace(house: House, cohort: str, body: bytes, code: int, words: str) -> None:
    assert words in (await house.upload(body, cohort, code))["detail"]
    assert await house.nothing_of(cohort)


@pytest.mark.parametrize("name", ["..%2Fx", "/x", "a%00b", "x" * 300, "..%5Cx"])
async def test_a_file_cannot_have_an_unsafe_name(house: House, cohort: str, name: str) -> None:
    assert "Gyrus-Name" in (await house.upload(DICOM, cohort, 422, name=name))["detail"]
    assert await house.nothing_of(cohort)


@pytest.mark.parametrize("asked", [{"cohort": "../x"}, {"cohort": "A"}, {"cohort": ""}, {"quiet_s": "-1"}, {"unknown": "1"}])
async def test_a_cohort_that_is_none_is_no_folder(house: House, cohort: str, asked: dict[str, str]) -> None:
    answer = await house.client.post("/uploads", content=DICOM, params={"cohort": cohort, **asked})

    assert answer.status_code == 422
    assert await house.nothing_of(cohort)


async def test_without_the_key_nothing_is_read(house: House, cohort: str) -> None:
    answer = await house.open.post("/api/v1/uploads", content=DICOM, params={"cohort": cohort})

    assert answer.status_code == 401
    assert await house.nothing_of(cohort)


async def test_a_gateway_without_a_place_for_uploads_says_what_to_set(api: Api, cohort: str) -> None:
    answer = await api.client.post("/uploads", content=DICOM, params={"cohort": cohort})

    assert answer.status_code == 409
    assert "set GYRUS_UPLOADS" in answer.json()["detail"]


async def test_where_the_place_of_uploads_is_lost_or_full_they_are_told_to_wait(mongo: Mongo, tmp_path: Path, cohort: str) -> None:
    full = {"GYRUS_UPLOAD_SPARE_BYTES": str(shutil.disk_usage(tmp_path).total)}
    house = await house_in(tmp_path, mongo, GYRUS_UPLOADS=str(tmp_path / "uploads"), **full)

    assert "There is no room" in (await house.upload(DICOM, cohort, 503))["detail"]
    house.root.rename(tmp_path / "elsewhere")
    assert "source 'uploads' is not mounted" in (await house.upload(DICOM, cohort, 503))["detail"]

    await house.close()
    await house.system.close()


# ── what breaks off ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_client_that_goes_away_leaves_nothing(house: House, cohort: str) -> None:
    body = Slow(a_zip(members_of(Path(__file__).parent))[:20_000], b"")
    task = asyncio.create_task(house.upload(body, cohort))
    await under_way(house, cohort)

    task.cancel()
    await asyncio.wait([task])

    await eventually(lambda: house.nothing_of(cohort), "nothing is left")


async def test_a_client_that_says_nothing_any_more_is_not_waited_for(house: House, cohort: str) -> None:
    answer = await said(house, cohort, 10, b"x")

    assert answer.startswith(b"HTTP/1.1 408")
    assert b"Nothing came for 10 s" in answer
    assert await house.nothing_of(cohort)


async def test_what_a_dead_gateway_left_is_removed_after_a_grace_and_what_others_do_is_not(house: House, cohort: str) -> None:
    names = [f"01ARZ3NDEKTSV4RRFFQ69G5FA{letter}" for letter in "VWXY"]
    young, old, moved, announced = (house.root / ".part" / f"{cohort}.{name}" for name in names)
    strange = house.root / ".part" / "..what-is-this"
    for folder in (young, old, moved, announced, strange):
        (folder / "files").mkdir(parents=True)
    for name in names[2:]:  # killed after the files were put into their place; the last one also after its job was there
        (house.root / cohort / name).mkdir(parents=True)
        (house.root / cohort / name / "x").write_bytes(b"x")
    await house.store["jobs"].insert_one({"_id": names[3], "cohort": cohort, "source": "uploads", "path": f"{cohort}/{names[3]}"})
    for folder in (old, moved, announced, strange):
        os.utime(folder, (1, 1))
    os.utime(young, (2**32, 2**32))  # another gateway is at it

    async def removed() -> bool:
        return not any(folder.exists() for folder in (old, moved, announced))

    await eventually(removed, "what was left is removed")
    assert house.files(cohort) == {f"{names[3]}/x": b"x"}
    assert young.exists()
    assert strange.exists()


async def test_an_upload_that_is_slow_is_not_taken_for_dead(house: House, cohort: str) -> None:
    body = Slow(DICOM[:100], DICOM[100:])
    task = asyncio.create_task(house.upload(body, cohort))
    await under_way(house, cohort)
    [part] = (house.root / ".part").glob(f"{cohort}.*")
    begun = part.stat().st_mtime

    async def beaten() -> bool:
        return part.stat().st_mtime > begun + 2  # twice the grace

    await eventually(beaten, "it shows that it lives")
    body.go.set()
    assert (await task)["bytes"] == len(DICOM)


async def test_a_kill_in_the_middle_announces_nothing_and_the_next_gateway_cleans_up(mongo: Mongo, tmp_path: Path, cohort: str) -> None:
    house = await house_in(tmp_path, mongo, GYRUS_UPLOADS=str(tmp_path / "uploads"), **TIMES)
    body = Slow(bytes(3 * MB), bytes(3 * MB))
    task = asyncio.create_task(house.upload(body, cohort))
    await under_way(house, cohort)

    house.system.rooms[0].kill()
    body.go.set()
    with pytest.raises(httpx.TransportError):
        await task
    assert not house.files(cohort)
    house.system.start("gateway")

    await eventually(lambda: house.nothing_of(cohort), "the next gateway cleans up")
    assert await house.store["audit"].count_documents({}) == 0
    await house.close()
    await house.system.close()


async def test_a_gateway_that_is_told_to_stop_ends_its_uploads_within_its_grace(mongo: Mongo, tmp_path: Path, cohort: str) -> None:
    house = await house_in(tmp_path, mongo, GYRUS_UPLOADS=str(tmp_path / "uploads"))
    body = Slow(bytes(3 * MB), bytes(3 * MB))
    task = asyncio.create_task(house.upload(body, cohort))
    await under_way(house, cohort)

    assert await asyncio.to_thread(house.system.rooms[0].stop) == 0

    body.go.set()
    with pytest.raises((httpx.TransportError, AssertionError)):
        await task
    assert await house.nothing_of(cohort)
    await house.close()
    await house.system.close()


# ── settings ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_source_of_uploads_is_one_folder(tmp_path: Path) -> None:
    named = {"uploads": Source(path=tmp_path, marker=".mounted")}

    assert Sources(Settings(uploads=tmp_path, sources=named)).all() == named
    assert Sources(Settings(uploads=tmp_path)).all() == {"uploads": Source(path=tmp_path)}
    with pytest.raises(ValidationError, match="name the same folder"):
        Settings(uploads=tmp_path / "other", sources=named)
