"""Volumes without servers: each stack becomes tensors and a picture, or NIfTI, or a refusal with its reason."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import SettingsError

from gyrus.console.describe import what_is_wrong
from gyrus.console.offline import Stack
from gyrus.data.storage import Storage
from gyrus.dicom.refused import Refused
from gyrus.preprocessor.core.export import Export
from gyrus.preprocessor.core.export import export as write_nifti
from gyrus.preprocessor.core.make import NotMade, Request, make
from gyrus.preprocessor.naming import image_name, slices, study_folder
from gyrus.shared.errors import GyrusError, Misuse
from gyrus.shared.policy import Policy, why_not
from gyrus.shared.workers import die_with

Document = dict[str, Any]


def preprocess(stacks: Sequence[Stack], out: str, workers: int) -> Iterator[tuple[Stack, Document]]:
    """Each stack with its volume: {refused, detail, shape, spacing_mm, outputs}, as the gateway shows it. Outputs are below `out`."""
    try:
        policy = Policy()
    except (ValidationError, SettingsError) as error:
        raise Misuse(f"{'; '.join(what_is_wrong(error))}. `gyrus settings classifier` says what may stand there.") from None
    yield from _each(stacks, _volume, [_request(stack, out, policy) for stack in stacks], out, workers)


def export(stacks: Sequence[Stack], out: str, workers: int) -> Iterator[tuple[Stack, Document]]:
    """Each stack with what was written of it as NIfTI: {refused, detail, outputs}. Outputs are below `out`."""
    yield from _each(stacks, _nifti, [_wanted(stack, out) for stack in stacks], out, workers)


def _each(
    stacks: Sequence[Stack], make: Callable[[Any], Document], requests: Sequence[Any], out: str, workers: int
) -> Iterator[tuple[Stack, Document]]:
    with ProcessPoolExecutor(workers, get_context("forkserver"), die_with, (os.getpid(),)) as pool:
        try:
            yield from zip(stacks, pool.map(make, requests), strict=True)
        except BrokenProcessPool:
            raise GyrusError("A worker process died (killed, or out of memory). Try again with --workers 1.") from None
        except OSError as error:
            raise GyrusError(f"{out} takes no volumes: {error.strerror or error}.") from error


def _wanted(stack: Stack, out: str) -> Export:
    name = image_name(stack.number, str(stack.document["modality"]), stack.label or {}, [stack.id, stack.document["version"]])
    folder = Storage(out).below(study_folder(stack.study.split("/", 1)[1]))
    return Export(slices=_slices(stack), folder=folder.address, name=name)


def _nifti(wanted: Export) -> Document:
    written = write_nifti(wanted)
    if isinstance(written, Refused):
        return {"refused": written.reason, "detail": written.detail, "outputs": []}
    return {"refused": None, "detail": None, "outputs": [f"{Path(wanted.folder).name}/{name}" for name in written]}


def _slices(stack: Stack) -> list[tuple[str, int | None]]:
    return slices(list(stack.files), stack.document["stack_key"], [file["path"] for file in stack.files])


def _request(stack: Stack, out: str, policy: Policy) -> Request:
    modality, label = stack.document["modality"], stack.label or {}
    plan = policy.plan(modality, label)
    of = {"version": stack.document["version"], "plan": plan}
    return Request(
        slices=_slices(stack),
        modality=str(modality),
        mode=plan["mode"] or "",
        why_not=why_not(plan, modality, label),
        most_volumes=plan["parameters"]["volumes"],
        folder=Storage(out).below(study_folder(stack.study.split("/", 1)[1])).address,
        name=image_name(stack.number, str(modality), label, [stack.id, of]),
        about={"stack": stack.id, **of},
    )


def _volume(request: Request) -> Document:
    made = make(request)
    _remove_earlier(request)
    folder = Path(request.folder).name
    outputs = [f"{folder}/{name}" for name in made.outputs]
    if isinstance(made, NotMade):
        return {**_refused(made.reason, made.detail), "outputs": outputs}
    return {"refused": None, "detail": None, "shape": list(made.shape), "spacing_mm": list(made.spacing_mm), "outputs": outputs}


def _remove_earlier(request: Request) -> None:
    """What was made of this stack when it had other files, another label or another policy: a stack has one volume."""
    from gyrus.data.layout import METADATA  # noqa: PLC0415 – torch, which only the workers need

    storage = Storage(request.folder)
    for metadata in (name for name, _ in storage.find(METADATA) if not name.startswith(request.name)):
        with suppress(ValueError, FileNotFoundError):  # no JSON: not ours; gone: another process was here
            written = json.loads(storage.read(metadata))
            if isinstance(written, dict) and written.get("about", {}).get("stack") == request.about["stack"]:
                files = (name for name in written["files"] if name != metadata and Path(name).name == name)
                storage.delete([*files, metadata])


def _refused(reason: str, detail: str) -> Document:
    return {"refused": reason, "detail": detail, "shape": None, "spacing_mm": None, "outputs": []}
