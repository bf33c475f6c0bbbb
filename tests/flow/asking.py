"""A gateway beside a system, and what a person asks it."""

from typing import Any

import httpx

from flow.system import PATIENCE_S, System, eventually

KEY = "a key for tests only"


async def gateway_is_up(client: httpx.AsyncClient, port: int) -> None:
    """Wait until a gateway answers that it is ready."""

    async def up() -> bool:
        try:
            return (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
        except httpx.TransportError:
            return False

    await eventually(up, "the gateway is up")


class Person:
    """Somebody with the key. patience_s: for what the classifier does with rules."""

    def __init__(self, system: System, patience_s: float = PATIENCE_S) -> None:
        self.patience_s = patience_s
        self.system, self.port = system, system._ports.get("http")
        head = {"Authorization": f"Bearer {KEY}"}
        self.client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}/api/v1", headers=head, trust_env=False, timeout=30)

    async def arrives(self) -> "Person":
        self.system.start("gateway", GYRUS_HTTP_PORT=str(self.port))

        await gateway_is_up(self.client, self.port)
        return self

    async def get(self, path: str, **asked: Any) -> Any:
        answer = await self.client.get(path, params=asked)
        assert answer.is_success, answer.text
        return answer.json()

    async def post(self, path: str, body: Any = None, code: int = 200) -> Any:
        answer = await self.client.post(path, json=body)
        assert answer.status_code == code, answer.text
        return answer.json()

    async def proposes(self, overlay: str) -> dict[str, Any]:
        """A version of the rules, compared."""
        version = await self.post("/rules", {"overlay": overlay, "name": "site.yaml"}, 201)
        return await self.awaited(version["id"])

    async def awaited(self, version: str) -> dict[str, Any]:
        async def through() -> Any:
            found = await self.get(f"/rules/{version}")
            return found if found["state"] not in ("comparing", "applying") else None

        found: dict[str, Any] = await eventually(through, "the classifier is through with the rules", self.patience_s)
        return found

    async def applies(self, version: str) -> dict[str, Any]:
        await self.post(f"/rules/{version}/apply")
        return await self.awaited(version)

    async def corrects(self, stack: str, axis: str, value: Any, **more: Any) -> Any:
        said = {"stack": stack, "axis": axis, "value": value, "reason": "a test says so", "by": "tester", **more}
        return await self.post("/corrections", said, 201)
