"""The gateway as the command line sees it: one address, one key, pages as one stream, errors that say what to do."""

import ipaddress
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from gyrus.console.up import Address
from gyrus.shared.errors import Away, GyrusError, Misuse

Document = dict[str, Any]
PAGE = 500  # documents asked for at once
TIMEOUT_S = 60.0
PASSING = (httpx.codes.BAD_GATEWAY, httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.GATEWAY_TIMEOUT)


def find_address(url: str | None, key: str | None, data: Path) -> Address:
    """What was given, else what `gyrus up` wrote into the data directory. Raises Misuse where neither is enough."""
    written = _written(data)
    if url is None and written is None:
        raise Misuse(f"No gateway is known: {data} was never up. Type `gyrus up --data {data}`, or name a gateway with --url and --key.")
    address = (url or (written or {})["url"]).rstrip("/")
    if key is None and written is not None and written["url"] == address:
        key = Path(written["key_file"]).read_text().strip()
    if key is None:
        raise Misuse(f"{address} wants a key: give --key, or set GYRUS_KEY. `gyrus up` writes it to the file `key` of its data directory.")
    return Address(address, key)


def _written(data: Path) -> dict[str, str] | None:
    try:
        found: dict[str, str] = json.loads((data / "address.json").read_text())
    except FileNotFoundError:
        return None
    return found


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Gateway:
    """Requests to one gateway. Raises Away where it does not answer, Misuse where it refuses."""

    def __init__(self, address: Address) -> None:
        self.url = address.url
        headers = {"Authorization": f"Bearer {address.key}"}
        self._http = httpx.Client(headers=headers, timeout=TIMEOUT_S, trust_env=not is_loopback(self.url))  # a proxy is for elsewhere

    def __enter__(self) -> "Gateway":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._http.close()

    def get(self, path: str, **question: Any) -> Any:
        """The answer to a question; parts of it that are None are not asked."""
        return self._ask("GET", path, params={name: value for name, value in question.items() if value is not None})

    def post(self, path: str, body: Document | None = None) -> Any:
        """Make something happen."""
        return self._ask("POST", path, json=body)

    def send(self, path: str, body: Iterable[bytes], headers: dict[str, str], **question: str) -> Any:
        """Stream a body, and wait for the answer as long as it takes."""
        timeout = httpx.Timeout(TIMEOUT_S, read=None)
        return self._ask("POST", path, content=body, headers=headers, params=question, timeout=timeout)

    def pages(self, path: str, **question: Any) -> Iterator[Document]:
        """Everything that a list holds, page after page."""
        cursor = None
        while True:
            page = self.get(path, **question, cursor=cursor, limit=PAGE)
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return

    def _ask(self, method: str, path: str, **more: Any) -> Any:
        try:
            answer = self._http.request(method, f"{self.url}/api/v1/{quote(path)}", **more)
        except httpx.TimeoutException:
            raise Away(f"The gateway at {self.url} did not answer within {TIMEOUT_S:.0f} s. `gyrus status` shows when it does.") from None
        except (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError) as error:
            raise Misuse(f"The gateway cannot be asked ({error}); an address looks like http://127.0.0.1:8080.") from None
        except httpx.TransportError:
            raise Away(f"Nothing answers at {self.url}. Start it with `gyrus up`, or name another gateway with --url.") from None
        return self._opened(answer)

    def _opened(self, answer: httpx.Response) -> Any:
        if answer.status_code in PASSING and "json" not in answer.headers.get("content-type", ""):
            raise Away(f"{self.url} answered {answer.status_code}: the gateway behind it is away; try again.")
        try:
            content = answer.json()
        except ValueError:
            raise Misuse(f"{self.url} answered {answer.status_code} and no JSON: it is no gateway of gyrus. Look at --url.") from None
        if answer.is_success:
            return content
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise Misuse(
                f"The gateway at {self.url} does not take this key. Give the right one with --key or GYRUS_KEY; "
                "`gyrus up` writes it to the file `key` of its data directory."
            )
        detail = content.get("detail") if isinstance(content, dict) else None
        kind = Away if answer.status_code in PASSING else GyrusError if answer.is_server_error else Misuse
        raise kind(_told(detail) or f"{self.url} answered {answer.status_code}.")


def _told(detail: Any) -> str:
    """The detail of an error: a sentence, or what FastAPI says of each wrong field."""
    if isinstance(detail, list):
        return "; ".join(f"{'.'.join(str(part) for part in one['loc'][1:])}: {one['msg']}" for one in detail)
    return str(detail) if detail else ""
