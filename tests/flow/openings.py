"""Which files of the inbox services and their workers open, and when: noted by an audit hook in each process."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

AUDIT = Path(__file__).parent / "audit"
READ, COMPARED = "read", "pixel_digest"  # the functions that open files: for the header, for the pixels of a disputed instance


@dataclass(frozen=True, slots=True)
class Opening:
    """One opening of a file: by which function, and when (monotonic clock of the machine, ns)."""

    path: str
    by: str
    at_ns: int


class Openings:
    """The log of a System's openings."""

    def __init__(self, log: Path, inbox: Path) -> None:
        self.log, self._inbox = log, inbox
        self._counted = self._counted_bytes = 0

    @property
    def environment(self) -> dict[str, str]:
        """What makes a service write it."""
        path = os.pathsep.join(filter(None, (str(AUDIT), os.environ.get("PYTHONPATH"))))
        return {"PYTHONPATH": path, "AUDIT_LOG": str(self.log), "AUDIT_BELOW": str(self._inbox)}

    def __iter__(self) -> Iterator[Opening]:
        """In the order in which they were noted; paths below the inbox."""
        if not self.log.exists():
            return
        below = len(str(self._inbox)) + 1
        with self.log.open() as lines:
            for line in lines:
                at_ns, by, path = line.rstrip("\n").split("\t")
                yield Opening(path[below:], by, int(at_ns))

    def count(self) -> int:
        """How many there are by now; only what is new is read."""
        if self.log.exists():
            with self.log.open("rb") as log:
                log.seek(self._counted_bytes)
                new = log.read()
            self._counted_bytes += len(new)
            self._counted += new.count(b"\n")
        return self._counted

    def paths(self) -> set[str]:
        """The files that were opened at all."""
        return {opening.path for opening in self}

    def forget(self) -> None:
        """Begin anew."""
        self.log.unlink(missing_ok=True)
        self._counted = self._counted_bytes = 0
