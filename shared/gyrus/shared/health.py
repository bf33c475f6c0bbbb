"""Health and metrics of a service over HTTP: /livez, /readyz, /metrics."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

STILL_S = 30  # an event loop that did not turn for so long is dead


class Health:
    """*Live*: the event loop turns. *Ready*: what the service needs is usable; the answer names the part that is not."""

    def __init__(self, readiness: Callable[[], Awaitable[dict[str, str]]]) -> None:
        self._readiness = readiness
        self._beat = time.monotonic()

    async def pulse(self) -> None:
        """Shows that the event loop turns, for ever."""
        while True:
            self._beat = time.monotonic()
            await asyncio.sleep(0.5)

    def routes(self) -> list[BaseRoute]:
        """The three routes, for a service's own application."""
        return [Route("/livez", self.livez), Route("/readyz", self.readyz), Route("/metrics", self.metrics)]

    async def livez(self, _: Request) -> Response:
        live = time.monotonic() - self._beat < STILL_S
        return JSONResponse({"live": live}, status_code=200 if live else 503)

    async def readyz(self, _: Request) -> Response:
        parts = await self._readiness()
        return JSONResponse(parts, status_code=200 if all(state == "ok" for state in parts.values()) else 503)

    async def metrics(self, _: Request) -> Response:
        return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)


class Server(uvicorn.Server):
    """uvicorn that leaves the signals to the frame of the service."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(app: ASGIApp, host: str, port: int) -> None:
    """Serve an ASGI application until cancelled."""
    config = uvicorn.Config(app, host=host, port=port, log_config=None, access_log=False, timeout_graceful_shutdown=3)
    server = Server(config)
    try:
        await server.serve()
    except asyncio.CancelledError:
        server.should_exit = True
        await server.shutdown()
        raise
