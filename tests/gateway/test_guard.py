"""The key is asked for before a body is read, and bodies are bounded."""

import socket
from urllib.parse import urlsplit

import pytest

from gateway.conftest import Api
from gyrus.gateway.guard import MOST_BYTES

pytestmark = pytest.mark.asyncio(loop_scope="session")


def answered(url: str, *lines: str) -> bytes:
    """The first bytes that come back on a request of which only the head is sent."""
    place = urlsplit(url)
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=10) as line:
        line.sendall("\r\n".join([*lines, "Host: x", "", ""]).encode())
        return line.recv(200)


async def test_without_the_key_a_request_is_turned_away_before_its_body_comes(api: Api) -> None:
    head = answered(api.url, "POST /api/v1/jobs HTTP/1.1", "Content-Type: application/json", f"Content-Length: {10 * MOST_BYTES}")

    assert head.startswith(b"HTTP/1.1 401")


async def test_a_body_that_says_it_is_too_large_is_not_read(api: Api) -> None:
    key = api.client.headers["Authorization"]
    head = answered(api.url, "POST /api/v1/jobs HTTP/1.1", f"Authorization: {key}", f"Content-Length: {MOST_BYTES + 1}")

    assert head.startswith(b"HTTP/1.1 413")


async def test_a_body_that_does_not_say_how_large_it_is_is_broken_off(api: Api) -> None:
    async def endless() -> object:
        for _ in range(MOST_BYTES // (1 << 20) + 2):
            yield b" " * (1 << 20)

    answer = await api.client.post(f"{api.url}/api/v1/jobs", content=endless(), headers={"Content-Type": "application/json"})

    assert answer.status_code == 413
