"""Work in processes of their own, with the limits that the services have: a hostile file costs itself, not the command."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from gyrus.shared.workers import WorkerLost, Workers

Given = TypeVar("Given")
Made = TypeVar("Made")

LIMIT_S = 600.0  # for one piece, whose process is killed then
MEMORY_MB = 1024  # that a process may take beside what it starts with
PRELOAD = ["gyrus.extractor.opening", "gyrus.extractor.settle", "gyrus.dicom.pixel_digest"]


def in_processes(work: Callable[[Given], Made], pieces: Sequence[Given], at_once: int, workers: int) -> list[Made | WorkerLost]:
    """`work` on each piece, in order; a piece that its process does not survive is a WorkerLost.

    at_once: pieces that a process is given together. Raises what `work` raises.
    """
    parts = [pieces[start : start + at_once] for start in range(0, len(pieces), at_once)]
    return asyncio.run(_each(work, parts, min(workers, len(parts)))) if parts else []


async def _each(work: Callable[[Given], Made], parts: Sequence[Sequence[Given]], count: int) -> list[Made | WorkerLost]:
    workers = Workers(count, PRELOAD, MEMORY_MB)
    try:
        answers = await asyncio.gather(*(workers.each(LIMIT_S, work, part) for part in parts))
    finally:
        workers.close()
    return [answer for part in answers for answer in part]
