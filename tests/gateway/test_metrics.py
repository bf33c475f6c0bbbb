"""The metrics of a whole machine in one answer, and honest answers while a server is away."""

import asyncio
import json
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from flow.system import ROOMS, System, eventually
from gateway.conftest import Api
from gyrus.console.servers import Mongo
from gyrus.gateway.metrics import all_metrics, merge

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_metrics_of_all_services_are_one_text_in_which_each_sample_names_its_service(tmp_path: Path, mongo: Mongo) -> None:
    system = await System(tmp_path, mongo).open()
    ports = {name: system._ports.get(name) for name in (*ROOMS, "gateway", "nobody")}
    others = {name: f"http://127.0.0.1:{ports[name]}/metrics" for name in (*ROOMS, "nobody")}
    for name in ROOMS:
        system.start(name, GYRUS_HTTP_PORT=str(ports[name]))
    system.start("gateway", GYRUS_HTTP_PORT=str(ports["gateway"]), GYRUS_METRICS_OF=json.dumps(others))
    api = Api(system, ports["gateway"])

    async def told() -> str | None:
        try:
            text = (await api.open.get("/metrics")).text
        except httpx.TransportError:
            return None
        return text if all(f'service="{name}"' in text for name in (*ROOMS, "gateway")) else None

    text = await eventually(told, "every service is in the metrics")
    await api.close()
    await system.close()

    families = list(text_string_to_metric_families(text))
    names = [family.name for family in families]
    assert len(names) == len(set(names))
    assert all("service" in sample.labels for family in families for sample in family.samples)
    builds = {sample.labels["service"]: sample.labels["room"] for f in families if f.name == "gyrus_build_info" for sample in f.samples}
    assert builds == {name: name for name in (*ROOMS, "gateway")}
    stages = {(s.labels["service"], s.labels["stage"]) for f in families if f.name == "gyrus_owed" for s in f.samples}
    assert stages == {
        ("watcher", "scan"),
        ("extractor", "read"),
        ("extractor", "settle"),
        ("extractor", "delete"),
        ("classifier", "classify"),
        ("classifier", "diff"),
        ("classifier", "apply"),
        ("preprocessor", "preprocess"),
    }
    assert {family.type for family in families if family.name == "gyrus_work_seconds"} == {"histogram"}


async def test_odd_values_survive_the_merge() -> None:
    text = '# HELP x Odd.\n# TYPE x gauge\nx{why="a \\"b\\" \\\\ c\\nd"} NaN\nx{why="much"} +Inf\n'

    [family] = text_string_to_metric_families(merge([("one", text), ("two", text)]).decode())

    assert [(s.labels["service"], s.labels["why"]) for s in family.samples] == [
        (service, why) for service in ("one", "two") for why in ('a "b" \\ c\nd', "much")
    ]
    assert [str(s.value) for s in family.samples] == ["nan", "inf"] * 2


async def test_a_service_that_answers_something_else_is_left_out() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = b"<html>not now { </html>"
        writer.write(b"HTTP/1.1 503 Away\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(body), body))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        text = await all_metrics({"broken": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/metrics"})

    services = {s.labels["service"] for family in text_string_to_metric_families(text.decode()) for s in family.samples}
    assert services == {"gateway"}


async def test_while_mongodb_is_away_the_gateway_says_so(tmp_path: Path, mongo: Mongo) -> None:
    system = await System(tmp_path, mongo).open()
    port, nobody = system._ports.get("http"), system._ports.get("nobody")
    url = f"mongodb://127.0.0.1:{nobody}/?replicaSet=rs0&serverSelectionTimeoutMS=300"
    room = system.start("gateway", GYRUS_HTTP_PORT=str(port), GYRUS_MONGO_URL=url)
    api = Api(system, port)

    async def live() -> bool:
        try:
            return (await api.open.get("/livez")).status_code == 200
        except httpx.TransportError:
            return False

    await eventually(live, "the gateway lives")
    ready, asked = await api.open.get("/readyz"), await api.get("/stacks", 503)
    code = await asyncio.to_thread(room.stop)
    await api.close()
    await system.close()

    assert (ready.status_code, ready.json()["mongo"][:4]) == (503, "away")
    assert asked == {"detail": "A server is away; try again."}
    assert code == 0
