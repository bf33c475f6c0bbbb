"""Which of the files that were seen must be read: a pure function of what was seen and what is known."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gyrus.shared.scope import is_left_alone

Waiting = Mapping[str, Sequence[tuple[int | None, int | None, str]]]


@dataclass
class Compared:
    """Files to announce, and how many need not be opened."""

    announce: list[Mapping[str, Any]] = field(default_factory=list)
    unchanged: int = 0


def compare(seen: Iterable[Mapping[str, Any]], known: Mapping[str, Mapping[str, Any]], waiting: Waiting, job: str, again: bool) -> Compared:
    """Compare files ({id, path, size, mtime_ns}) with their documents and with open batches.

    A file is *unchanged* when its document has the same size and mtime and is not gone, or when it waits in an open batch with the same
    size and mtime; it counts as that unless this very job announced or read it. `again`: read it although it is unchanged. A tombstone
    is unchanged whatever the file is now, unless the job was asked for after the deletion, with `again`.
    """
    result = Compared()
    for file in seen:
        document = known.get(file["id"], {})
        stamp = (file["size"], file["mtime_ns"])
        announcer = next((by for *announced, by in waiting.get(file["id"], ()) if tuple(announced) == stamp), None)
        mine = job in document.get("jobs", ()) or announcer == job
        left = is_left_alone(document, job, again)
        same = left or ("size" in document and (document["size"], document["mtime_ns"]) == stamp and not document["gone"])
        if announcer or (same and (mine or left or not again)):
            result.unchanged += not mine
        else:
            result.announce.append(file)
    return result
