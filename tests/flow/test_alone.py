"""Each service starts alone, with nothing but its settings; two replicas of one share its work."""

import asyncio
import json
import os
import secrets
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from flow import cohort
from flow.system import ROOMS, Room, System, eventually
from gyrus.console.servers import Mongo, start_process
from gyrus.shared.policy import NOT_ASKED

NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--pdeathsig", "TERM"]
STACKS = 4


def as_another_user(place: Path) -> list[str]:
    """The words with which another user runs Python with what is installed here; skips where that cannot be."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root, and setpriv, can start a service as another user")
    if runs(ours := [*NOBODY, sys.executable]):
        return ours
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if system_wide := shutil.which(version, path=os.defpath):  # ours lies in a folder that is closed to others: another one, same packages
        subprocess.run([system_wide, "-m", "venv", "--without-pip", str(place / "venv")], check=False, capture_output=True)
        for packages in (place / "venv").glob("lib/*/site-packages"):
            (packages / "ours.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
        if runs(theirs := [*NOBODY, str(place / "venv/bin/python")]):
            return theirs
    pytest.skip(f"another user can run neither {sys.executable} nor a {version} of the system")


def runs(python: list[str]) -> bool:
    """Whether it runs our code and can start itself once more, as worker processes are."""
    code = "import subprocess, sys, gyrus.preprocessor.service; sys.exit(subprocess.call([sys.executable, '-c', '']))"
    return subprocess.run([*python, "-c", code], env={}, cwd="/", capture_output=True, check=False).returncode == 0


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every user may search; pytest's own are closed."""
    folder = Path(tempfile.mkdtemp(prefix="gyrus-alone-"))
    folder.chmod(0o755)
    yield folder
    for inner in folder.rglob("*"):
        if inner.is_dir() and not inner.is_symlink():
            inner.chmod(0o755)
    shutil.rmtree(folder)


def mounted(source: Path, where: Path) -> Path:
    """The same files, sizes and mtimes at another path, read-only."""
    shutil.copytree(source, where)
    for path in [*where.rglob("*"), where]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    return where


def listing(folder: Path) -> list[tuple[str, int, int]]:
    return sorted((str(p.relative_to(folder)), p.stat().st_size, p.stat().st_mtime_ns) for p in folder.rglob("*"))


def start_alone(system: System, name: str, python: list[str], **settings: str) -> Room:
    """Start a service in an empty folder, with its settings and a PATH for its whole environment."""
    here = system.folder / f"cwd-{name}-{secrets.token_hex(2)}"
    here.mkdir()
    names = ("GYRUS_NATS_URL", "GYRUS_MONGO_URL", "GYRUS_MONGO_DATABASE")
    environment = {"PATH": os.defpath, **{key: system.environment[key] for key in names}, **settings}
    environment.setdefault("GYRUS_HTTP_PORT", str(system._ports.get(here.name)))
    log = system.folder / f"log-{here.name}"
    argv = ["env", "-C", str(here), *python, "-m", f"gyrus.{name}"]
    room = Room(name, start_process(argv, log, environment), log)
    system.rooms.append(room)
    return room


@pytest.mark.parametrize("user", ["this user", "another user"])
async def test_services_that_know_nothing_but_their_settings_make_labels_and_volumes(place: Path, mongo: Mongo, user: str) -> None:
    python = as_another_user(place) if user == "another user" else [sys.executable]
    uid = 65534 if user == "another user" else os.geteuid()
    system = await System(place, mongo).open()
    cohort.first(system.inbox)
    seen = {name: mounted(system.inbox, place / name / "the" / "mount") for name in ("extractor", "preprocessor")}
    listings = {name: listing(folder) for name, folder in seen.items()}
    system.processed = place / "elsewhere"
    system.processed.mkdir()
    if uid != os.geteuid():
        os.chown(system.processed, uid, uid)
    own = {
        "watcher": {"GYRUS_SOURCES": json.dumps({"inbox": str(system.inbox)})},
        "extractor": {"GYRUS_SOURCES": json.dumps({"inbox": str(seen["extractor"])}), "GYRUS_SUBJECT_KEY": "a secret for tests only"},
        "classifier": {},
        "preprocessor": {
            "GYRUS_SOURCES": json.dumps({"inbox": {"path": str(seen["preprocessor"]), "marker": "notes.txt"}}),
            "GYRUS_PROCESSED": str(system.processed),
        },
        "gateway": {"GYRUS_API_KEY": "a key for tests only", "GYRUS_HTTP_PORT": str(system._ports.get("http"))},
    }

    rooms = {name: start_alone(system, name, python, **own[name]) for name in (*ROOMS, "gateway")}
    try:
        job = await system.ingest()
        await system.at_rest()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{own['gateway']['GYRUS_HTTP_PORT']}", trust_env=False) as client:
            await eventually(lambda: answers(client, "/readyz"), "the gateway is ready")
            answer = await client.get(f"/api/v1/jobs/{job}", headers={"Authorization": "Bearer a key for tests only"})
        whole = await system.dump()
        users = {name: Path(f"/proc/{room.process.pid}").stat().st_uid for name, room in rooms.items()}
        codes = {name: await asyncio.to_thread(room.stop) for name, room in rooms.items()}
    finally:
        await system.close()

    assert set(users.values()) == {uid}
    assert (answer.json()["state"], answer.json()["totals"]["extracted"]) == ("done", 20)
    assert {stack["modality"]: stack["classification"]["base"] for stack in whole["stacks"] if stack["kind"] == "single"}["MR"] == "T1w"
    refusals = [stack["volume"]["refused"] for stack in whole["stacks"]]
    assert len(refusals) == STACKS and set(refusals) == {None, NOT_ASKED}
    assert sum(name.startswith("outputs of ") and len(outputs) > 0 for name, outputs in whole.items()) == STACKS
    assert whole["outputs that no volume names"] == []
    assert codes == dict.fromkeys(rooms, 0)
    assert {name: listing(folder) for name, folder in seen.items()} == listings
    assert [written for folder in place.glob("cwd-*") for written in folder.iterdir()] == []


async def test_two_extractors_share_the_batches_and_each_file_is_read_once(system: System) -> None:
    system.environment["GYRUS_ACK_WAIT_S"] = "30"  # a slow machine is no reason to give a batch to the other one
    cohort.first(system.inbox)
    files = sum(path.is_file() for path in system.inbox.rglob("*"))
    ports = [system._ports.get(name) for name in ("one", "other")]
    for name in ("watcher", "classifier", "preprocessor"):
        system.start(name)
    for port in ports:
        system.start("extractor", GYRUS_HTTP_PORT=str(port), GYRUS_READ_BATCHES="1")

    async with httpx.AsyncClient(trust_env=False) as client:
        for port in ports:
            await eventually(partial(answers, client, f"http://127.0.0.1:{port}/readyz"), "both extractors are ready")
        await system.ingest(batch_files=1)
        await system.at_rest()
        texts = [(await client.get(f"http://127.0.0.1:{port}/metrics")).text for port in ports]

    batches = [counted(text, "gyrus_work_total", stage="read", result="done") for text in texts]
    assert min(batches) > 0
    assert sum(counted(text, "gyrus_files_total") for text in texts) == files
    assert sum(counted(text, "gyrus_work_total", result=wrong) for text in texts for wrong in ("raised", "failed", "away")) == 0
    pictured = {"retired": False, "volume.refused": {"$in": [None, NOT_ASKED]}, "volume.outputs": {"$ne": []}}
    assert await system.store["stacks"].count_documents(pictured) == STACKS


async def answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).status_code == 200
    except httpx.TransportError:
        return False


def counted(text: str, name: str, **labels: str) -> int:
    """The sum of a metric's samples that bear these labels."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples if sample.name == name]
    return int(sum(sample.value for sample in samples if labels.items() <= sample.labels.items()))
