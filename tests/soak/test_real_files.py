"""Every real file that is at hand, through `gyrus ingest --wait`, twice in different order: all accounted for, and the same both times."""

import collections
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from gyrus.console.up import Up
from gyrus.dicom.rejects import REJECT_REASONS

SHARED = Path(__file__).parents[3] / "shared"
# Images by the manifest's word, refused by ours: segmentations and dose grids hold no picture of the patient (extraction facts §6.1), and
# one object of a private class names no modality.
NO_PICTURE = {"non_image_object", "missing_modality"}
pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]


def gyrus(up: Up, *arguments: str) -> list[dict[str, Any]]:
    """A command against a running system; the objects that it printed."""
    command = [str(Path(sys.executable).with_name("gyrus")), *arguments, "--data", str(up.data), "--json"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr[-2000:]
    return [json.loads(line) for line in answer.stdout.splitlines()]


def ingest(data: Path, real: Path, folders: list[Path]) -> dict[str, Any]:
    """Everything that came of the files, ingested folder by folder in the given order."""
    settings = {"GYRUS_SOURCES": json.dumps({"real": str(real)}), "GYRUS_SUBJECT_KEY": "the same in both, so are the subjects"}
    up = Up(data, settings)
    up.start()
    try:
        started = time.monotonic()
        for folder in folders[:-1]:
            gyrus(up, "ingest", str(folder), "--cohort", "real")
        gyrus(up, "ingest", str(folders[-1]), "--cohort", "real", "--wait")
        took_s = time.monotonic() - started
        stacks = gyrus(up, "stacks", "--cohort", "real")
        files = outcomes(up)
    finally:
        up.stop()
    print(f"\n{len(files)} files, {len(stacks)} stacks in {took_s:.0f} s: {dict(collections.Counter(o for o, _ in files.values()))}")
    unowed = [{key: value for key, value in stack.items() if key not in ("volume", "owed")} for stack in stacks]
    refused = {stack["id"]: (stack["volume"] or {}).get("refused") for stack in stacks}
    return {"files": files, "stacks": sorted(unowed, key=lambda stack: stack["id"]), "refused": refused}


def outcomes(up: Up) -> dict[str, tuple[str, str | None]]:
    """Outcome and reason of every file, by path."""
    address = json.loads((up.data / "address.json").read_text())
    key = Path(address["key_file"]).read_text().strip()
    files: dict[str, tuple[str, str | None]] = {}
    with httpx.Client(base_url=address["url"], headers={"Authorization": f"Bearer {key}"}, trust_env=False, timeout=30) as client:
        cursor = None
        while True:
            query = {"cohort": "real", "phi": "true", "limit": "1000", **({"cursor": cursor} if cursor else {})}
            page = client.get("/api/v1/files", params=query).raise_for_status().json()
            files |= {item["path"]: (item["outcome"], item["reason"]) for item in page["items"]}
            cursor = page["next"]
            if cursor is None:
                return files


def differing(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> list[str]:
    """Which fields of which stacks differ."""
    left, right = ({stack["id"]: stack for stack in stacks} for stacks in (one, other))
    found = [f"{id_} is only there once" for id_ in left.keys() ^ right.keys()]
    for id_ in left.keys() & right.keys():
        names = left[id_].keys() | right[id_].keys()
        found += [f"{id_} {name}: {a} != {b}" for name in names if (a := left[id_].get(name)) != (b := right[id_].get(name))]
    return found


def test_every_real_file_is_accounted_for_and_order_does_not_matter(real: Path, tmp_path: Path) -> None:
    folders = sorted(path for path in real.iterdir() if path.is_dir())
    forwards = ingest(tmp_path / "forwards", real, [real])
    backwards = ingest(tmp_path / "backwards", real, folders[::-1])

    manifest = {}
    with (SHARED / "data" / "dicom" / "MANIFEST.jsonl").open() as lines:
        for line in lines:
            entry = json.loads(line)
            manifest[entry["path"]] = entry["kind"]
    by_kind: dict[str, collections.Counter[Any]] = collections.defaultdict(collections.Counter)
    for path, (outcome, reason) in forwards["files"].items():
        by_kind[manifest[path]][reason if outcome == "rejected" else "kept"] += 1
    print(json.dumps(by_kind, indent=1))
    assert set(forwards["files"]) == set(manifest)
    assert set(by_kind["dicom"]) <= {"kept", *NO_PICTURE}
    assert sum(by_kind["dicom"][reason] for reason in NO_PICTURE) <= 35
    assert {reason for counts in by_kind.values() for reason in counts} - {"kept"} <= set(REJECT_REASONS)
    assert by_kind["not-dicom"]["kept"] == by_kind["dicomdir"]["kept"] == 0
    assert backwards["files"] == forwards["files"]
    assert differing(forwards["stacks"], backwards["stacks"]) == []
    assert backwards["refused"] == forwards["refused"]
