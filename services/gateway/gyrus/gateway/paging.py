"""Paging by key: a cursor holds the last `_id` and the question it belongs to; nothing is skipped or counted."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from gyrus.shared.ids import digest
from gyrus.shared.store import Collection

Document = dict[str, Any]


class BadCursor(ValueError):
    """A cursor that is not of this question."""


async def page(
    collection: Collection, question: Mapping[str, Any], cursor: str | None, limit: int, for_index: Mapping[str, Any] | None = None
) -> tuple[list[Document], str | None]:
    """Documents that answer the question, by `_id`, after the cursor; and the cursor of the next page, None at the end.

    for_index: what holds of all of them anyway, and leads to an index in their order.
    """
    about = digest([collection.name, question], 6)
    query: Document = {**(for_index or {}), **question}
    if cursor:
        query["_id"] = {"$gt": _open(cursor, about)}
    found = await collection.find(query).sort("_id").limit(limit + 1).to_list(limit + 1)
    more = len(found) > limit
    return found[:limit], _seal(found[limit - 1]["_id"], about) if more else None


def _seal(last: str, about: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([about, last]).encode()).decode()


def _open(cursor: str, about: str) -> str:
    try:
        of, last = json.loads(base64.urlsafe_b64decode(cursor))
    except (ValueError, TypeError, RecursionError, binascii.Error) as error:
        raise BadCursor("this is no cursor") from error
    if of != about or not isinstance(last, str):
        raise BadCursor("this cursor belongs to another question")
    return last
