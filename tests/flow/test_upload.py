"""An upload goes the same way as a folder: the same labels, and every file accounted for; killed in the middle, nothing of it is there."""

import asyncio
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from console.calling import Answer, gyrus
from flow import cohort
from flow.system import System, eventually
from gateway.zips import a_member, a_zip, below, members_of
from gyrus.console.servers import Mongo

KEY = "a key for tests only"
LITTER = {"__MACOSX/._001.dcm": b"litter", ".DS_Store": b"litter", "inner.zip": a_zip([("x", b"y")])}
HARM = {"../../escaped.dcm": "leads_out", "/etc/escaped.dcm": "absolute_name", "bomb.dcm": "bomb", "spoilt.dcm": "damaged"}
OUTCOMES = ("extracted", "duplicate", "conflicting", "rejected", "unchanged", "unsettled")


class Uploading:
    """A system with all its rooms and a gateway that takes uploads."""

    def __init__(self, system: System) -> None:
        self.system, self.store = system, system.store
        self.root = system.folder / "uploads"
        self.root.mkdir()
        self.port = system._ports.get("http")
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = httpx.AsyncClient(base_url=self.url, headers={"Authorization": f"Bearer {KEY}"}, trust_env=False, timeout=60)

    async def start_gateway(self) -> None:
        self.system.start("gateway", GYRUS_HTTP_PORT=str(self.port))

        async def up() -> bool:
            try:
                return (await self.client.get("/readyz")).status_code == 200
            except httpx.TransportError:
                return False

        await eventually(up, "the gateway is up")

    async def upload(self, body: Any, cohort_: str, name: str = "upload") -> Any:
        answer = await self.client.post("/api/v1/uploads", content=body, params={"cohort": cohort_}, headers={"Gyrus-Name": name})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def ask(self, *words: object) -> Answer:
        """Call `gyrus`, against this gateway."""
        answer = await asyncio.to_thread(gyrus, *words, "--url", self.url, "--key", KEY)
        assert answer.code == 0, answer.err
        return answer

    async def totals(self, job: str) -> dict[str, int]:
        document = await self.store["jobs"].find_one({"_id": job}) or {}
        totals: dict[str, int] = document["totals"]
        assert totals["seen"] == sum(totals[name] for name in OUTCOMES)
        assert not totals["unaccounted"]
        return totals

    async def stacks(self, cohort_: str) -> list[tuple[Any, ...]]:
        """What each stack is and what became of it, without where its files lie."""
        found = (
            await self.store["stacks"]
            .find({"cohort": cohort_, "retired": False})
            .sort([("series_instance_uid", 1), ("stack_key", 1)])
            .to_list(None)
        )
        labels = [(one["classification"], one["volume"]) for one in found]
        return [
            (
                one["series_instance_uid"],
                one["stack_key"],
                one["n_files"],
                label["base"],
                label["technique"],
                volume.get("shape"),
                volume["refused"],
            )
            for one, (label, volume) in zip(found, labels, strict=True)
        ]


@pytest.fixture
async def uploading(tmp_path: Path, mongo: Mongo) -> AsyncIterator[Uploading]:
    system = await System(
        tmp_path, mongo, GYRUS_UPLOADS=str(tmp_path / "uploads"), GYRUS_UPLOAD_IDLE_S="30", GYRUS_UPLOAD_GRACE_S="1"
    ).open()
    made = Uploading(system)
    system.start_all()
    await made.start_gateway()
    yield made
    await made.client.aclose()
    await system.close()


def harmful(folder: Path) -> bytes:
    """The files of a folder, litter, and members that mean harm, as a zip."""
    spoilt = a_member("spoilt.dcm")
    spoilt.compress_type = zipfile.ZIP_STORED
    bad = [("../../escaped.dcm", b"x"), ("/etc/escaped.dcm", b"x"), ("bomb.dcm", bytes(10_000_000)), (spoilt, b"the bytes of it")]
    return a_zip([*members_of(folder), *LITTER.items(), *bad]).replace(b"the bytes of it", b"the bytes of IT")


async def test_a_zip_with_good_and_bad_members_comes_to_the_same_as_the_folder(uploading: Uploading) -> None:
    cohort.first(uploading.system.inbox)
    await uploading.system.ingest(cohort="folder")

    told = await uploading.upload(harmful(uploading.system.inbox), "zip")
    await uploading.system.at_rest()

    assert {one["name"]: one["reason"] for one in told["refused"]} == HARM
    assert told["files"] == 25 + len(LITTER)
    totals = await uploading.totals(told["job"]["id"])
    assert {name: totals[name] for name in OUTCOMES} == dict(zip(OUTCOMES, (20, 1, 2, 2 + len(LITTER), 0, 0), strict=True))
    reasons = {
        file["path"].partition("/")[2].partition("/")[2]: file["reason"]
        async for file in uploading.store["files"].find({"cohort": "zip", "outcome": "rejected"})
    }
    assert {name: reasons[name] for name in LITTER} == {
        "__MACOSX/._001.dcm": "not_dicom", ".DS_Store": "not_dicom", "inner.zip": "compressed_container",
    }  # fmt: skip
    assert await uploading.stacks("zip") == await uploading.stacks("folder")
    assert any(stack[4] == "MPRAGE" and stack[5] for stack in await uploading.stacks("zip"))
    around = [*uploading.system.folder.rglob("*"), *uploading.system.folder.parent.iterdir(), *Path("/etc").iterdir()]
    assert not [path for path in around if "escaped" in path.name]


async def test_a_file_a_folder_and_several_are_uploaded_by_the_command_and_what_comes_twice_changes_nothing(uploading: Uploading) -> None:
    first, folder = uploading.system.inbox / "first", uploading.system.inbox / "more"
    for number in range(cohort.SLICES):
        cohort.write((first if number == 0 else folder) / f"Bild ä {number}.dcm", cohort.image("t1_mprage", number))

    await uploading.ask("upload", first / "Bild ä 0.dcm", "--cohort", "c", "--wait")
    [told] = (await uploading.ask("upload", folder, "--cohort", "c", "--wait", "--json")).objects
    [before] = await uploading.store["stacks"].find({"cohort": "c"}).to_list(None)
    twice = await uploading.ask("upload", folder, first / "Bild ä 0.dcm", "--cohort", "c", "--wait")

    assert (told["files"], told["job"]["state"], told["job"]["totals"]["extracted"]) == (4, "done", 4)
    assert "5 files, 0.0 MB\nseen 5 = extracted" in twice.out
    outcomes = [file["outcome"] async for file in uploading.store["files"].find({"cohort": "c"})]
    assert sorted(outcomes) == ["duplicate"] * 5 + ["extracted"] * 5
    [stack] = await uploading.store["stacks"].find({"cohort": "c"}).to_list(None)
    assert (stack["n_files"], stack["classification"]["technique"], stack["volume"]["refused"]) == (5, "MPRAGE", None)
    assert (stack["version"], stack["volume"]) == (before["version"], before["volume"])
    paths = {file["path"].partition("/")[2].partition("/")[2] async for file in uploading.store["files"].find({"cohort": "c"})}
    assert paths == {"Bild ä 0.dcm", *(f"more/Bild ä {number}.dcm" for number in range(1, 5))}

    again = await uploading.ask("ingest", "--cohort", "c", "--wait")
    assert "seen 10 = extracted 0 + duplicate 0 + conflicting 0 + rejected 0 + unchanged 10" in again.out


async def test_names_of_files_are_in_no_log_no_audit_record_and_no_id(uploading: Uploading) -> None:
    cohort.write(uploading.system.inbox / "DOE^JANE/DOE^JANE.dcm", cohort.image("t1_mprage", 0))

    await uploading.upload(a_zip([*below(uploading.system.inbox).items(), ("../DOE^JANE", b"x")]), "c")
    await uploading.upload((uploading.system.inbox / "DOE^JANE/DOE^JANE.dcm").read_bytes(), "c", name="DOE^JANE.dcm")
    await uploading.system.at_rest()

    assert "DOE" not in "".join(room.log.read_text() for room in uploading.system.rooms)
    assert "DOE" not in str(await uploading.store["audit"].find().to_list(None))
    assert "DOE" not in str(await uploading.store["cohorts"].find().to_list(None) + await uploading.store["jobs"].find().to_list(None))


async def test_a_gateway_killed_in_the_middle_loses_the_upload_and_nothing_else(uploading: Uploading) -> None:
    cohort.first(uploading.system.inbox)
    body, sent, go = a_zip(members_of(uploading.system.inbox)), asyncio.Event(), asyncio.Event()

    async def halting() -> AsyncIterator[bytes]:
        yield body[:20_000]
        sent.set()
        await go.wait()
        yield body[20_000:]

    upload = asyncio.create_task(uploading.upload(halting(), "c"))
    await asyncio.wait_for(sent.wait(), 60)

    async def begun() -> bool:
        return any((uploading.root / ".part").glob("c.*"))

    await eventually(begun, "the upload is under way")
    uploading.system.rooms[-1].kill()
    go.set()
    with pytest.raises(httpx.TransportError):
        await upload
    assert await uploading.store["jobs"].count_documents({}) == 0
    await uploading.start_gateway()

    async def cleaned() -> bool:
        return not below(uploading.root)

    await eventually(cleaned, "what was left is removed")
    told = await uploading.upload(body, "c")
    await uploading.system.at_rest()

    totals = await uploading.totals(told["job"]["id"])
    assert [totals[name] for name in OUTCOMES] == [20, 1, 2, 2, 0, 0]
    assert await uploading.store["files"].count_documents({}) == 25
