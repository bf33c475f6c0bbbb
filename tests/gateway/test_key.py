"""Nothing but health and metrics is told to who has no key; the API describes itself."""

from typing import Any

import pytest

from gateway.conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROUTES = {
    "POST /api/v1/jobs", "GET /api/v1/jobs", "GET /api/v1/jobs/{job}", "POST /api/v1/jobs/{job}/{action}",
    "POST /api/v1/uploads", "GET /api/v1/status", "GET /api/v1/sources", "GET /api/v1/files",
    "GET /api/v1/subjects", "GET /api/v1/subjects/{id}", "GET /api/v1/studies", "GET /api/v1/studies/{id}",
    "GET /api/v1/series", "GET /api/v1/series/{id}", "GET /api/v1/stacks", "GET /api/v1/stacks/{id}",
    "GET /api/v1/failures", "POST /api/v1/failures/retry", "GET /api/v1/dead-letters", "POST /api/v1/settle", "POST /api/v1/reconcile",
    "GET /api/v1/deletions/preview", "POST /api/v1/deletions", "GET /api/v1/deletions", "GET /api/v1/deletions/{id}",
    "GET /api/v1/rules", "GET /api/v1/rules/{id}", "POST /api/v1/rules", "POST /api/v1/rules/{id}/{action}",
    "POST /api/v1/corrections", "GET /api/v1/corrections", "GET /api/v1/corrections/labels", "GET /api/v1/review",
}  # fmt: skip


async def described(api: Api) -> dict[str, Any]:
    answer = await api.client.get(f"{api.url}/openapi.json")
    assert answer.status_code == 200
    return dict(answer.json())


async def test_openapi_names_every_route_and_says_what_each_is_for(api: Api) -> None:
    paths = (await described(api))["paths"]

    there = {f"{method.upper()} {path}": route for path, methods in paths.items() for method, route in methods.items()}
    assert there.keys() == ROUTES
    assert [name for name, route in there.items() if not route.get("description")] == []
    assert all({"401", "404", "409", "503"} <= route["responses"].keys() for route in there.values())


@pytest.mark.parametrize("route", sorted(ROUTES))
@pytest.mark.parametrize("key", [None, "", "Bearer", "Bearer wrong", "Basic YTpi", "Bearer a key for tests onlY"])
async def test_without_the_key_nothing_is_told_or_done(api: Api, route: str, key: str | None) -> None:
    method, path = route.split()

    answer = await api.open.request(method, path, headers={"Authorization": key} if key is not None else {})

    assert answer.status_code == 401
    said = "This key is not the gateway's" if (key or "").startswith("Bearer ") else "send `Authorization: Bearer KEY`"
    assert said in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/redoc"])
async def test_the_description_of_the_api_wants_the_key_too(api: Api, path: str) -> None:
    assert (await api.open.get(path)).status_code == 401


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
async def test_health_and_metrics_are_open(api: Api, path: str) -> None:
    assert (await api.open.get(path)).status_code == 200


async def test_readiness_names_its_parts(api: Api) -> None:
    assert (await api.open.get("/readyz")).json() == {"mongo": "ok", "nats": "ok"}
