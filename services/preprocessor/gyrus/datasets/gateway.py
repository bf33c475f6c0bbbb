"""The gateway's lists, page by page, by nothing but the standard library, so that a training machine needs no client."""

import ipaddress
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from gyrus.shared.errors import Away, Misuse

PAGE: Final = 1000
TIMEOUT_S: Final = 60
Document = dict[str, Any]


class Gateway:
    """One gateway and its key. Raises Away where it does not answer, Misuse where it refuses."""

    def __init__(self, url: str, key: str) -> None:
        if urlsplit(url).scheme not in ("http", "https"):
            raise Misuse(f"{url!r} is no address of a gateway; one looks like http://127.0.0.1:8080.")
        self.url, self._key = url.rstrip("/"), key.strip()  # a file of a key ends with a new line
        no_proxy = [urllib.request.ProxyHandler({})] if _is_loopback(url) else []
        self._open = urllib.request.build_opener(*no_proxy).open

    def pages(self, path: str, **question: Any) -> Iterator[Document]:
        """Everything that a list holds."""
        asked = {name: value for name, value in question.items() if value is not None}
        cursor: str | None = None
        while True:
            page = self._ask(path, {**asked, "limit": PAGE, **({"cursor": cursor} if cursor else {})})
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return

    def _ask(self, path: str, question: Document) -> Any:
        address = f"{self.url}/api/v1/{path}?{urlencode(question)}"
        request = urllib.request.Request(address, headers={"Authorization": f"Bearer {self._key}"})  # noqa: S310 - http(s), looked at above
        try:
            with self._open(request, timeout=TIMEOUT_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            kind = Away if error.code in (502, 503, 504) else Misuse
            raise kind(f"{self.url} answered {error.code}: {_told(error)}") from None
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            raise Away(f"Nothing answers at {self.url} ({getattr(error, 'reason', error)}). Is the gateway up?") from None
        except ValueError:
            raise Misuse(f"{self.url} answered no JSON: it is no gateway of gyrus.") from None


def _told(error: urllib.error.HTTPError) -> str:
    try:
        said = json.load(error)
    except ValueError:
        return str(error.reason)
    return str(said.get("detail", error.reason)) if isinstance(said, dict) else str(error.reason)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
