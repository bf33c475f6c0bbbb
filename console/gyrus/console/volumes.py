"""Volumes without servers: each stack becomes tensors and a picture, or a refusal with its reason."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from gyrus.console.offline import Stack
from gyrus.dicom.refused import Refused
from gyrus.preprocessor.core.make import Made, Request, make
from gyrus.preprocessor.naming import image_name, slices, study_folder
from gyrus.shared.documents import plan_of
from gyrus.shared.errors import GyrusError

Document = dict[str, Any]


def preprocess(stacks: Sequence[Stack], out: Path, workers: int) -> Iterator[tuple[Stack, Document]]:
    """Each stack with its volume: {refused, detail, shape, spacing_mm, outputs}, as the gateway shows it. Outputs are below `out`."""
    with ProcessPoolExecutor(workers, get_context("forkserver")) as pool:
        try:
            yield from zip(stacks, pool.map(_volume, [_request(stack, out) for stack in stacks]), strict=True)
        except BrokenProcessPool:
            raise GyrusError("A worker process died (killed, or out of memory). Try again with --workers 1.") from None
        except OSError as error:
            raise GyrusError(f"{out} takes no volumes: {error.strerror or error}.") from error


def _request(stack: Stack, out: Path) -> Request | None:
    plan = plan_of(stack.document["modality"])
    if plan["mode"] is None:
        return None
    of = {"version": stack.document["version"], "plan": plan}
    return Request(
        slices=slices(list(stack.files), stack.document["stack_key"], [file["path"] for file in stack.files]),
        mode=plan["mode"],
        folder=str(out / study_folder(stack.study.split("/", 1)[1])),
        name=image_name(stack.number, str(stack.document["modality"]), stack.label or {}, [stack.id, of]),
        about={"stack": stack.id, **of},
    )


def _volume(request: Request | None) -> Document:
    if request is None:
        return _refused("unsupported_modality", "only MR and CT have a recipe")
    made: Made | Refused = make(request)
    if isinstance(made, Refused):
        return _refused(made.reason, made.detail)
    folder = Path(request.folder).name
    outputs = [f"{folder}/{name}" for name in made.outputs]
    return {"refused": None, "detail": None, "shape": list(made.shape), "spacing_mm": list(made.spacing_mm), "outputs": outputs}


def _refused(reason: str, detail: str) -> Document:
    return {"refused": reason, "detail": detail, "shape": None, "spacing_mm": None, "outputs": []}
