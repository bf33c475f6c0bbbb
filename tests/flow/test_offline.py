"""The commands that need no server say, of every level, what the services store."""

import asyncio
from typing import Any

from dicom.enhanced import a_frame, an_object
from dicom.headers import a_file
from flow import cohort
from flow.system import System
from gyrus.console import levels
from gyrus.console.offline import extract

OF_SERIES = ("subject_fields", "study_fields", "series_fields", "disagreements", "diagnostics", "n_files", "n_images", "n_stacks")


def chosen(document: dict[str, Any], names: Any) -> dict[str, Any]:
    return {name: document.get(name) for name in names}


async def test_offline_and_online_say_the_same_of_every_file_stack_series_and_study(system: System) -> None:
    cohort.first(system.inbox)
    a_file(system.inbox, an_object([a_frame(2.0 * n) for n in range(4)], PatientID="P9"), "enhanced.dcm")
    found = await asyncio.to_thread(extract, system.inbox, 2)

    system.start_all()
    await system.ingest()
    await system.at_rest()

    files = {file["path"]: file async for file in system.store["files"].find()}
    assert {path: (file["outcome"], file.get("reason"), file.get("differs")) for path, file in files.items()} == {
        **{file["name"]: (file["outcome"], None, file.get("differs")) for series in found.series for file in series.files},
        **{file["path"]: ("rejected", file["reason"], None) for file in found.rejected},
    }
    assert {(file["digest"], str(file["stacks"])) for file in files.values() if "digest" in file} == {
        (file["digest"], str(file["stacks"])) for series in found.series for file in series.files
    }
    stacks = {(stack["series_instance_uid"], stack["stack_key"]): stack async for stack in system.store["stacks"].find({"retired": False})}
    offline = {(stack.document["series_instance_uid"], stack.document["stack_key"]): stack.document for stack in found.stacks}
    assert {key: chosen(stack, offline[key]) for key, stack in stacks.items()} == offline
    stored = {one["_id"].split("/", 1)[1]: chosen(one, OF_SERIES) async for one in system.store["series"].find()}
    assert stored == {one.id.split("/", 1)[1]: chosen(one.document, OF_SERIES) for one in found.series}
    told = {one["study_uid"]: one["fields"] for one in levels.objects(found, True) if one["level"] == "study"}
    assert told == {one["study_instance_uid"]: one["fields"] async for one in system.store["studies"].find()}
