"""The preprocessor as a service: a labelled stack becomes tensors and a picture, or a refusal with its reason."""

import asyncio
import contextlib
import errno
import json
import os
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, PositiveFloat, PositiveInt

from gyrus.data.checksums import is_undamaged
from gyrus.data.storage import RemoteError, Storage
from gyrus.preprocessor.core.make import Made, NotMade, Request
from gyrus.preprocessor.core.make import make as make_volume
from gyrus.preprocessor.naming import image_name, slices, study_folder
from gyrus.shared import crash, debts, intake
from gyrus.shared.documents import winners_of
from gyrus.shared.errors import Away, Later
from gyrus.shared.events import StackPreprocessed
from gyrus.shared.policy import NOT_ASKED, why_not
from gyrus.shared.service import Service
from gyrus.shared.settings import Settings
from gyrus.shared.store import AFTER, BEFORE
from gyrus.shared.workers import Workers

Document = dict[str, Any]
PRELOAD = ["gyrus.preprocessor.core.outputs", "gyrus.preprocessor.service"]
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
DENIED = {errno.EACCES, errno.EPERM}
PASSING = re.compile(r".*/\.[^/]*\.[0-9a-f]{8}")


class PreprocessorSettings(Settings):
    """What the preprocessor needs."""

    processed: str = Field(description="Where tensors and pictures are written: a folder, or s3://bucket/prefix (with gyrus[s3]).")
    preprocess_workers: PositiveInt = Field(1, description="Stacks in hand at once, each in a process of its own.")
    preprocess_limit_s: PositiveFloat = Field(1800.0, description="How long one stack may take; then its process is killed.")
    outputs_grace_s: float = Field(600, ge=0, description="How long replaced outputs stay, for a DataLoader that is reading them.")
    outputs_sweep_s: float = Field(3600, ge=0, description="How often outputs that no volume names are looked for; 0: never.")


def make_in_worker(request: Request) -> Made | NotMade:
    """Runs in a worker process; a test may stop it before it reads, and between any two files that it writes."""
    crash.point_in_worker("preprocess.file")
    return make_volume(request, lambda _: crash.point_in_worker("preprocess.4"))


class Preprocessor:
    """Makes the volumes of stacks."""

    def __init__(self, service: Service, settings: PreprocessorSettings, workers: Workers) -> None:
        self.service, self.store, self.bus = service, service.store, service.bus
        self.settings, self.workers, self.storage = settings, workers, Storage(settings.processed)
        self._removals: set[asyncio.Task[None]] = set()

    async def preprocess(self, stack_id: str) -> None:
        """Pay `preprocess` on a stack: its outputs first, then `volume` and the payment in one update, then what nobody names goes."""
        await crash.point("preprocess.1")
        stack = await self.store["stacks"].find_one({"_id": stack_id, **debts.is_owed("preprocess")})
        if stack is None:
            return
        n = debts.n_of(stack, "preprocess")
        await crash.point("preprocess.2")
        volume = await self._volume(stack, n)
        if stack["retired"] and stack.get("deleting"):
            await self._erase(stack_id, n)
        await crash.point("preprocess.5")
        change = debts.paid("preprocess")
        change["$set"]["volume"] = volume
        change["$unset"]["erase"] = ""
        holds = {"_id": stack_id, **debts.unmoved("preprocess", n)}
        before = await self.store["stacks"].find_one_and_update(holds, change, return_document=BEFORE)
        await crash.point("preprocess.6")
        if before is not None:
            self._remove_later(_named(before) - set(_outputs(volume)))
            await self.bus.ring(StackPreprocessed(cohort=stack["cohort"], stack=stack_id), f"preprocessed:{stack_id}:{n}")
        else:  # owed anew meanwhile: what was just made is nobody's, unless the winner made the same
            there = await self.store["stacks"].find_one({"_id": stack_id}, {"volume": 1}) or {}
            self._remove_later(set(_outputs(volume)) - _named(there) - _named(stack))

    async def _volume(self, stack: Document, n: int) -> Document | None:
        """The volume of a stack as it is now: made, kept, or refused; None for a stack that has no label."""
        label = stack.get("classification")
        if stack["retired"] or label is None:
            return None
        if label["of"]["version"] != stack["version"]:
            raise Later("the label is of another version; classify is owed")
        of, had = {"version": stack["version"], "plan": label["plan"]}, stack.get("volume") or {}
        if had.get("of") == of and had["refused"] in (None, NOT_ASKED) and await self._are_there(had["outputs"]):
            return dict(had)
        await crash.point("preprocess.3")
        files = await self._files(stack)
        if any(file["gone"] for file in files):
            return _refused(of, n, "vanished", f"{sum(f['gone'] for f in files)} of {len(files)} files are gone", had.get("outputs", []))
        return await self._make(stack, n, of, files, await self._whole(files))

    async def _files(self, stack: Document) -> list[Document]:
        """The documents of the files that this version of the stack is made of."""
        query = {"series": stack["series"], "outcome": "extracted", "stacks.key": stack["stack_key"]}
        files = await self.store["files"].find(query).sort("_id").to_list(None)
        if winners_of(files) != stack["winners"]:
            raise Later("the files of the stack moved on; settle is owed")
        return files

    async def _whole(self, files: list[Document]) -> list[str]:
        """Their paths. Where a file is not as its document says, a read of it is owed, and this is tried again later."""
        paths = [self.service.sources.locate(file["source"], file["path"]) for file in files]
        changed = False
        for file, seen in zip(files, await asyncio.to_thread(lambda: [_stamp(path) for path in paths]), strict=True):
            if seen != (file["size"], file["mtime_ns"]):
                self.service.sources.root(file["source"])
                await intake.announce_again(self.store, self.bus, file, seen)
                changed = True
        if changed:
            raise Later("a file is not as its document says; a read of it is owed")
        return paths

    async def _make(self, stack: Document, n: int, of: Document, files: list[Document], paths: list[str]) -> Document:
        series = await self.store["series"].find_one({"_id": stack["series"]}, {"series_fields.series_number": 1}) or {}
        number, made_of = series.get("series_fields", {}).get("series_number"), [stack["_id"], of, n]
        name = image_name(number, stack["modality"], stack["classification"], made_of)
        folder = Path(stack["cohort"], study_folder(stack["study"].split("/", 1)[1]))
        request = Request(
            slices=slices(files, stack["stack_key"], paths),  # type: ignore[arg-type]
            modality=stack["modality"],
            mode=of["plan"]["mode"] or "",
            why_not=why_not(of["plan"], stack["modality"], stack["classification"]),
            most_volumes=of["plan"]["parameters"]["volumes"],
            folder=self.storage.below(folder).address,
            name=name,
            about={"stack": stack["_id"], "n": n, **of},
        )
        try:
            made = await self.workers.run(self.settings.preprocess_limit_s, make_in_worker, request)
        except OSError as error:
            self._check_places(error, files)
            raise
        outputs = [str(folder / output) for output in made.outputs]
        if isinstance(made, NotMade):
            await self._whole(files)  # a source that went meanwhile, or a file that changed, is no refusal
            return _refused(of, n, made.reason, made.detail, outputs)
        shape = {"shape": list(made.shape), "spacing_mm": list(made.spacing_mm), "view": made.view, "volumes": made.volumes}
        return {"of": of, "n": n, "refused": None, "detail": None, "outputs": outputs, "mode": made.mode, **shape}

    async def _are_there(self, outputs: Collection[str]) -> bool:
        return await asyncio.to_thread(lambda: all(map(self._is_there, outputs)))

    def _is_there(self, output: str) -> bool:
        """Whether an output is there and, of tensors, what was written."""
        if not output.endswith(".pt"):
            return self.storage.exists(output)
        with contextlib.suppress(FileNotFoundError), self.storage.open(output) as file:
            return is_undamaged(file)
        return False

    def _check_places(self, error: OSError, files: list[Document]) -> None:
        """Raises Away where the processed folder takes no more, or a source is not there: neither says anything about the stack."""
        of_outputs = os.fsdecode(error.filename or "").startswith(self.storage.address)
        if isinstance(error, RemoteError):
            raise Away(f"the store of processed volumes does not answer as it should: {error.strerror}") from error
        if error.errno in FULL or (error.errno in DENIED and of_outputs):
            raise Away(f"the folder of processed volumes takes no more: {error.strerror}") from error
        for source in sorted({file["source"] for file in files}):
            self.service.sources.root(source)

    # ── removal ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _remove_later(self, outputs: Iterable[str]) -> None:
        names = sorted(outputs)
        if names:
            task = asyncio.create_task(self._remove(names))
            self._removals.add(task)
            task.add_done_callback(self._removals.discard)

    async def _remove(self, names: list[str]) -> None:
        """After the grace; a service that ends before leaves it to the slow sweep."""
        await asyncio.sleep(self.settings.outputs_grace_s)
        await self._unlink(names)

    async def _unlink(self, names: Collection[str]) -> None:
        """Remove outputs, and the folders that are empty then; the file that names the others goes last."""
        in_order = sorted(names, key=lambda name: name.endswith("_metadata.json"))
        await asyncio.to_thread(self.storage.delete, in_order)

    async def _erase(self, stack_id: str, n: int) -> None:
        """Outputs of a stack that is being deleted: at once, and before it is paid, since afterwards nobody knows of them.

        No volume may name them by then: a file that comes meanwhile makes the stack live, and its volume would be kept.
        """
        named = {"$setUnion": [{"$ifNull": ["$erase", []]}, {"$ifNull": ["$volume.outputs", []]}]}
        holds = {"_id": stack_id, **debts.unmoved("preprocess", n)}
        stack = await self.store["stacks"].find_one_and_update(holds, [{"$set": {"erase": named, "volume": None}}], return_document=AFTER)
        await crash.point("preprocess.4b")
        if stack is not None:
            await self._unlink(_named(stack))

    async def sweep_outputs(self) -> None:
        """Remove outputs that no volume names and none can name any more: their `n` is older than the stack's, or equal and paid.

        And what a writer that was killed had under a passing name.
        """
        for name, age_s in await asyncio.to_thread(self.storage.find):
            if age_s < self.settings.outputs_grace_s or name.count("/") != 2:
                continue
            if name.endswith("_metadata.json"):
                with contextlib.suppress(FileNotFoundError):
                    await self._sweep_one(name)
            elif PASSING.fullmatch(name) and age_s >= self.settings.preprocess_limit_s:
                await self._unlink([name])

    async def _sweep_one(self, name: str) -> None:
        written = json.loads(await asyncio.to_thread(self.storage.read, name))
        stack = await self.store["stacks"].find_one({"_id": written["about"]["stack"]}, {"volume.outputs": 1, "erase": 1, "owed": 1})
        folder = name.rpartition("/")[0]
        if stack is None:
            orphan = await self._was_deleted(written["about"]["stack"])
        else:
            orphan = name not in _named(stack) and _is_older(written["about"]["n"], stack)
        if orphan:
            await self._unlink([f"{folder}/{one}" for one in written["files"] if Path(one).name == one])  # the grace is over

    async def _was_deleted(self, stack: str) -> bool:
        """Whether a deletion took the stack: outputs of one that nobody knows may belong to another database, and stay."""
        series = stack.rpartition("/")[0]
        query = {"cohort": series.split("/", 1)[0], "$or": [{"scope.level": "cohort"}, {"series": series}]}
        return await self.store["deletions"].find_one(query, {"_id": 1}) is not None


def _refused(of: Document, n: int, reason: str, detail: str, outputs: Iterable[str] = ()) -> Document:
    return {"of": of, "n": n, "refused": reason, "detail": detail, "outputs": list(outputs)}


def _is_older(n: int, stack: Document) -> bool:
    """Whether outputs that were made for `n` can be named no more; a stack that never owed any came again after a deletion."""
    if "preprocess" not in stack.get("owed", {}):
        return True
    now = debts.n_of(stack, "preprocess")
    return n < now or (n == now and not debts.owes(stack, "preprocess"))


def _named(stack: Mapping[str, Any]) -> set[str]:
    """The outputs of a stack's volume, and those that are being erased."""
    return {*_outputs(stack.get("volume")), *stack.get("erase", ())}


def _outputs(volume: Mapping[str, Any] | None) -> list[str]:
    return list((volume or {}).get("outputs", ()))


def _stamp(path: str) -> tuple[int | None, int | None]:
    try:
        stat = os.stat(path)  # noqa: PTH116 - any bytes
    except (FileNotFoundError, NotADirectoryError):
        return None, None
    return stat.st_size, stat.st_mtime_ns


def make() -> Service:
    """The preprocessor, wired."""
    settings = PreprocessorSettings()
    service = Service("preprocessor", settings)
    workers = Workers(settings.preprocess_workers, PRELOAD, crash_points=settings.crash_points)
    service.at_end(workers.close)
    preprocessor = Preprocessor(service, settings, workers)
    service.answers("preprocess", preprocessor.preprocess, workers=settings.preprocess_workers)
    service.every(settings.outputs_sweep_s, "sweep_outputs", preprocessor.sweep_outputs)
    return service
