"""What a worker process does for one stack: from files to files, or a refusal. Quick to import; the heavy libraries wait for work."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gyrus.dicom.refused import Refused

    from .outputs import Writer

Point = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Request:
    """One stack to prepare, or only to picture."""

    slices: Sequence[tuple[str, int | None]]  #: path, frame from 1 or None for every frame of the file
    modality: str = ""
    mode: str = ""  #: mri or ct
    why_not: tuple[str, str] | None = None  #: why no volume is asked for, as a code and in words: then there are pictures only
    most_volumes: int = 1  #: of a run; 0: all
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
    volumes: list[dict[str, Any]]  #: of each its image (how its names begin), and of a run its index from 0 and its b-value


@dataclass(frozen=True, kw_only=True)
class NotMade:
    """Why there is no volume; the pictures that there are all the same."""

    reason: str
    detail: str
    outputs: list[str] = field(default_factory=list)


def make(request: Request, point: Point | None = None) -> Made | NotMade:
    """Prepare the volumes of one stack and write their outputs. Uses one thread. Raises OSError when storage fails."""
    from gyrus.data.threads import use_one_thread  # noqa: PLC0415 – seconds of import that the service's own process need not spend
    from gyrus.dicom.refused import Refused  # noqa: PLC0415

    from .outputs import Writer  # noqa: PLC0415

    use_one_thread()
    writer = Writer(request, point)
    try:
        if request.why_not:
            raise Refused(*request.why_not)
        return _made(request, writer)
    except Refused as refused:
        writer.take_back()
        return _not_made(request, writer, refused)


def _made(request: Request, writer: "Writer") -> Made:
    from gyrus.dicom.layouts import read_layout  # noqa: PLC0415

    from .pictures import pictures_of_run  # noqa: PLC0415
    from .prepare import prepare_one, wanted_volumes  # noqa: PLC0415

    layout = read_layout(request.slices)
    is_run = len(layout.volumes) > 1
    for index in wanted_volumes(layout, request.most_volumes):
        ready = prepare_one(layout, request.mode, index)
        writer.write(ready, index if is_run else None)
    if is_run:
        writer.write_pictures(pictures_of_run(layout), {"volumes": writer.volumes})
    made = ready.prepared
    outputs = sorted(writer.outputs)
    return Made(outputs=outputs, mode=made.mode, view=made.view, shape=made.shape, spacing_mm=made.spacing_mm, volumes=writer.volumes)


def _not_made(request: Request, writer: "Writer", refused: "Refused") -> NotMade:
    from .pictures import pictures_of_stack  # noqa: PLC0415

    writer.write_pictures(pictures_of_stack(request.slices), {"refused": refused.reason, **_uptake(request)})
    return NotMade(reason=refused.reason, detail=refused.detail, outputs=sorted(writer.outputs))


def _uptake(request: Request) -> dict[str, Any]:
    """Of PET: the SUV factor of the stack, with its inputs, or why there is none."""
    if request.modality != "PT":
        return {}
    from gyrus.data.uptake import uptake_in  # noqa: PLC0415
    from gyrus.dicom.planes import images_of  # noqa: PLC0415
    from gyrus.dicom.refused import Refused  # noqa: PLC0415

    with suppress(Refused):
        return {"uptake": uptake_in(images_of(request.slices)).document()}
    return {}
