"""At the door: who has no key is turned away before a byte of the body is read, and no body but an upload's is large."""

import hashlib
import hmac

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OPEN = frozenset({"/livez", "/readyz", "/metrics"})  # numbers without names
UPLOADS = "/api/v1/uploads"  # counts its bytes itself
MOST_BYTES = 64 << 20  # of a body: a subject map of 100,000 folders fits
NO_KEY = "This needs a key: send `Authorization: Bearer KEY`. It is GYRUS_API_KEY; `gyrus up` writes it to DATA/key."
WRONG_KEY = "This key is not the gateway's. It is GYRUS_API_KEY where the gateway runs; `gyrus up` writes it to DATA/key."
TOO_LARGE = f"A request has at most {MOST_BYTES >> 20} MB."


class Guard:
    """Lets requests with the key through, and bodies up to a size."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app = app
        self._wanted = _digest(b"Bearer " + key.encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 or 413, or hand the request on."""
        if scope["type"] != "http" or scope["path"] in OPEN:
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value for name, value in scope["headers"]}
        given = headers.get(b"authorization", b"")
        if not hmac.compare_digest(_digest(given), self._wanted):
            await _refuse(401, WRONG_KEY if given.lower().startswith(b"bearer ") else NO_KEY)(scope, receive, send)
        elif scope["path"] == UPLOADS:
            await self._app(scope, receive, send)
        elif int(headers.get(b"content-length", b"0") or 0) > MOST_BYTES:
            await _refuse(413, TOO_LARGE)(scope, receive, send)
        else:
            await self._app(scope, _bounded(receive), send)


def _bounded(receive: Receive) -> Receive:
    """The same body, which breaks off where it is too large."""
    left = MOST_BYTES

    async def some() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413, TOO_LARGE)
        return message

    return some


def _refuse(code: int, detail: str) -> JSONResponse:
    return JSONResponse({"detail": detail}, status_code=code)


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()
