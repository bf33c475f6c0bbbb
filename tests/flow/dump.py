"""The canonical dump: every document of every collection, less a closed list of what may differ between two runs of the same work."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from gyrus.shared.store import COLLECTIONS, Store

# Retired stacks are history: which there are depends on what was settled in between. They are left out too, and must be empty.
# Times, ULIDs, counts of attempts, and what is derived from them. Everything else must be equal.
VOLATILE = frozenset(
    {
        "owed", "at", "rev", "again_at", "again", "context", "touched", "history", "progress", "finished_at",
        "announced", "outputs", "n", "watch", "batch",
    }
)  # fmt: skip
DIGITS = re.compile(r"_[0-9a-f]{8}(?=[_.]|$)")


async def dump(store: Store, processed: Path) -> dict[str, Any]:
    """By collection and id; jobs are named by their order; outputs by their content."""
    jobs = {job["_id"]: f"job {number}" async for number, job in _enumerated(store)}
    whole: dict[str, Any] = {}
    for name in COLLECTIONS:
        documents = [_plain(document, jobs) async for document in store[name].find({"retired": {"$ne": True}})]
        whole[name] = sorted(documents, key=lambda document: json.dumps(document, sort_keys=True))
    async for stack in store["stacks"].find({"retired": True}):
        assert not stack.get("classification") and not stack.get("volume") and stack["version"] is None, stack
    async for stack in store["stacks"].find({"volume.outputs": {"$exists": True}}):
        whole[f"outputs of {stack['_id']}"] = sorted(_content(processed / name) for name in stack["volume"]["outputs"])
    named = {name async for stack in store["stacks"].find() for name in (stack.get("volume") or {}).get("outputs", ())}
    there = {str(path.relative_to(processed)) for path in processed.rglob("*") if path.is_file()}
    whole["outputs that no volume names"] = sorted(DIGITS.sub("", name) for name in there - named)
    return whole


async def _enumerated(store: Store) -> Any:
    number = 0
    async for job in store["jobs"].find().sort("_id"):
        number += 1
        yield number, job


def _plain(value: Any, jobs: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner, jobs) for key, inner in value.items() if key not in VOLATILE}
    if isinstance(value, list):
        return [_plain(inner, jobs) for inner in value]
    if isinstance(value, bytes):
        return value.hex()
    return jobs.get(value, DIGITS.sub("", value)) if isinstance(value, str) else value


def _content(path: Path) -> list[str]:
    content = path.read_bytes()
    if path.name.endswith("_metadata.json"):
        written = json.loads(content)
        content = json.dumps(_plain(written, {}), sort_keys=True).encode()
    return [DIGITS.sub("", path.name), hashlib.sha256(content).hexdigest()]


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """What differs, document by document and field by field, in words short enough to read."""
    found: list[str] = []
    for name in sorted(one.keys() | other.keys()):
        left, right = ({_key(document): document for document in side.get(name, [])} for side in (one, other))
        for key in sorted(left.keys() | right.keys()):
            a, b = left.get(key), right.get(key)
            if a is None or b is None:
                found.append(f"{name}: {key} is only in the {'second' if a is None else 'first'}")
            elif a != b and isinstance(a, dict) and isinstance(b, dict):
                found += [f"{name}: {key}.{f}: {a.get(f)} != {b.get(f)}" for f in sorted(a.keys() | b.keys()) if a.get(f) != b.get(f)]
            elif a != b:
                found.append(f"{name}: {a} != {b}")
    return found


def _key(document: Any) -> str:
    if isinstance(document, dict):
        return str(document.get("path") or document["_id"])
    return str(document[0] if isinstance(document, list) else document)
