"""A gateway as a process beside real servers, and documents put straight into its database. All tests share it, each has its cohort."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from flow.conftest import mongo
from flow.system import System, eventually
from gyrus.console.servers import Mongo

__all__ = ["mongo"]

KEY = "a key for tests only"
SITE = """
- {name: ward, keyword: CurrentPatientLocation, level: study, type: text}
- {name: arm, creator: TRIAL, group: 0029, element: 10, vr: LO, level: study, type: text, phi: false}
"""
NUMBERS = itertools.count(1)


class Api:
    """The gateway of a system, as a client sees it."""

    def __init__(self, system: System, port: int) -> None:
        self.system, self.store = system, system.store
        self.url = f"http://127.0.0.1:{port}"
        self.open = httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=20)
        self.client = httpx.AsyncClient(
            base_url=f"{self.url}/api/v1", headers={"Authorization": f"Bearer {KEY}"}, trust_env=False, timeout=20
        )

    async def get(self, path: str, code: int = 200, **asked: Any) -> Any:
        """The answer to a question, which must come with this code."""
        return _answered(await self.client.get(path, params=asked), code)

    async def post(self, path: str, code: int = 200, body: Any = None, **asked: Any) -> Any:
        return _answered(await self.client.post(path, json=body, params=asked), code)

    async def walk(self, path: str, between: Callable[[int], Awaitable[Any]] | None = None, **asked: Any) -> list[list[str]]:
        """The ids on each page, to the last; `between` is awaited after each."""
        pages: list[list[str]] = []
        cursor = None
        while cursor or not pages:
            page = await self.get(path, **asked, **({"cursor": cursor} if cursor else {}))
            pages.append([item["id"] for item in page["items"]])
            cursor = page["next"]
            if between:
                await between(len(pages))
        return pages

    async def audited(self, cohort: str | None) -> list[str]:
        return [record["what"] async for record in self.store["audit"].find({"cohort": cohort}).sort("_id")]

    async def is_up(self) -> bool:
        try:
            return (await self.open.get("/readyz")).status_code == 200
        except httpx.TransportError:
            return False

    async def close(self) -> None:
        await self.open.aclose()
        await self.client.aclose()


def _answered(answer: httpx.Response, code: int) -> Any:
    assert answer.status_code == code, answer.text
    return answer.json()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def api(mongo: Mongo, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    folder = tmp_path_factory.mktemp("gateway")
    system = await System(folder, mongo).open()
    port = system._ports.get("http")
    site = folder / "fields.yaml"
    site.write_text(SITE)
    system.start("gateway", GYRUS_HTTP_PORT=str(port), GYRUS_SITE_FIELDS=str(site))
    made = Api(system, port)
    await eventually(made.is_up, "the gateway is up")
    yield made
    await made.close()
    await system.close()


@pytest.fixture
def cohort() -> Iterator[str]:
    yield f"cohort-{next(NUMBERS)}"
