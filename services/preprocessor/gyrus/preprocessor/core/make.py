"""What a worker process does for one stack: from files to files, or a refusal. Quick to import; the heavy libraries wait for work."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gyrus.dicom.refused import Refused


@dataclass(frozen=True, kw_only=True)
class Request:
    """One stack to prepare."""

    slices: Sequence[tuple[str, int | None]]  #: path, frame from 1 or None for every frame of the file
    mode: str  #: mri or ct
    volume: int | None = None  #: which one, from 0, of a stack that has several
    folder: str  #: where the outputs go
    name: str  #: how their names begin
    about: Mapping[str, Any] = field(default_factory=dict)  #: kept in the metadata


@dataclass(frozen=True, kw_only=True)
class Made:
    """What was written."""

    outputs: list[str]  #: file names below the folder, sorted
    mode: str
    view: int  #: 0 axial, 1 coronal, 2 sagittal
    shape: tuple[int, int, int]  #: slices, rows, columns
    spacing_mm: tuple[float, ...]  #: along x, y, z of the RPI axes


def make(request: Request, point: Callable[[str], None] | None = None) -> Made | Refused:
    """Prepare one stack and write its outputs. Uses one thread. Raises OSError when storage fails."""
    from gyrus.data.threads import use_one_thread  # noqa: PLC0415 – seconds of import that the service's own process need not spend

    from .outputs import write_outputs  # noqa: PLC0415
    from .prepare import prepare  # noqa: PLC0415

    use_one_thread()
    try:
        ready = prepare(request.slices, request.mode, request.volume)
    except Refused as refused:
        return refused.with_traceback(None)  # a traceback would hold the volume
    outputs = write_outputs(Path(request.folder), request.name, ready, request.about, point)
    made = ready.prepared
    return Made(outputs=outputs, mode=made.mode, view=made.view, shape=made.shape, spacing_mm=made.spacing_mm)
