"""Commands that need no server: the same cores on a file or a folder, and what gyrus says about itself."""

import codecs
import json as json_
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gyrus.console.options import Json, Target, Workers, command
from gyrus.shared.errors import Misuse

if TYPE_CHECKING:
    from gyrus.classifier.core import Ruleset
    from gyrus.console.offline import Found, Stack

Document = dict[str, Any]
Fields = Annotated[bool, typer.Option("--fields", help="Every field, level by level: subjects, studies, series, stacks, files.")]
Phi = Annotated[bool, typer.Option("--phi", help="With --fields, also what identifies a person.")]
Rejects = Annotated[bool, typer.Option("--rejects", help="Also rejected files, as objects of their own ({path, outcome, reason, detail}).")]
Explain = Annotated[
    bool, typer.Option("--explain", help="Every rule that spoke, axis by axis, and what the nearest one lacked where none did.")
]
CPUS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
SiteFields = Annotated[
    Path | None, typer.Option("--site-fields", envvar="GYRUS_SITE_FIELDS", metavar="FILE", help="YAML of fields of your own to read too.")
]
NO_FILE = "No DICOM files found: there is no file at or below this path."
ALL_REJECTED = "No DICOM files found: all are rejected; gyrus extract --rejects names each with its reason."
ROOMS = ("watcher", "extractor", "classifier", "preprocessor", "gateway")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for add in (_add_extract, _add_classify, _add_preprocess, _add_sample, _add_topology, _add_settings):
        add(app)


def _add_extract(app: typer.Typer) -> None:
    @command(
        app,
        "extract",
        "Say what the headers of a file or folder say, stack by stack or, with --fields, level by level.",
        "extract scan.dcm",
        "extract study/ --json",
        "extract study/ --fields",
    )
    def extract(  # noqa: PLR0913, PLR0917 - options of a command
        path: Target,
        fields: Fields = False,
        phi: Phi = False,
        rejects: Rejects = False,
        json: Json = False,
        workers: Workers = CPUS,
        site_fields: SiteFields = None,
    ) -> None:
        """Print stacks without labels."""
        from gyrus.console import levels, offline, render  # noqa: PLC0415 - pydicom and more, only when asked for
        from gyrus.dicom.site_fields import SiteFieldsError, site_fields_of  # noqa: PLC0415

        try:
            site = site_fields_of(site_fields)
        except SiteFieldsError as wrong:
            raise Misuse(str(wrong)) from None
        found = offline.extract(path, workers, site)
        if not fields:
            _tell(found, found.stacks, rejects, json)
            return
        told = levels.objects(found, phi)
        if json:
            render.lines(told)
        else:
            render.levels(told, found.table)
        _end(found, found.stacks)


def _add_classify(app: typer.Typer) -> None:
    @command(
        app,
        "classify",
        "Say what each stack of a file or folder is, or each fingerprint of a .jsonl file ({id, fingerprint} a line).",
        "classify scan.dcm",
        "classify study/ --json",
        "classify fingerprints.jsonl --json",
        "classify scan.dcm --explain",
    )
    def classify(path: Target, rejects: Rejects = False, explain: Explain = False, json: Json = False, workers: Workers = CPUS) -> None:
        """Print stacks with labels."""
        from gyrus.classifier.core import load_rules  # noqa: PLC0415
        from gyrus.console import offline  # noqa: PLC0415

        rules = load_rules()
        if path.suffix == ".jsonl":
            _print_labels(_labels(path, rules, explain), json)
            return
        found = offline.extract(path, workers)
        stacks = offline.classify(found.stacks, rules)
        _tell(found, offline.explained(stacks, rules) if explain else stacks, rejects, json)


def _labels(path: Path, rules: "Ruleset", explain: bool) -> Iterator[Document]:
    """A prediction for each line of fingerprints, with its explanation where asked for."""
    from gyrus.console import offline  # noqa: PLC0415

    for id_, fingerprint in _fingerprints(path):
        reasons = {"explanation": offline.explain_fingerprint(fingerprint, rules)} if explain else {}
        yield {"id": id_, **offline.classify_fingerprint(fingerprint, rules), **reasons}


def _fingerprints(path: Path) -> Iterator[tuple[Any, Document]]:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    one = json_.loads(line.removeprefix(codecs.BOM_UTF8))
                    id_, fingerprint = one["id"], one["fingerprint"]
                except (ValueError, KeyError, TypeError, RecursionError):
                    fingerprint = None
                if not isinstance(fingerprint, dict):
                    raise Misuse(f"{path}:{number}: expected an object with `id` and `fingerprint`, in UTF-8.")
                yield id_, fingerprint


def _print_labels(labels: Iterator[Document], json: bool) -> None:
    from gyrus.console import reasons, render  # noqa: PLC0415

    if json:
        render.lines(labels)
        return
    rows = [{**label, "label": render.label_of(label)} for label in labels]
    if any("explanation" in row for row in rows):
        for row in rows:
            reasons.page(f"{row['id']}  {row['label']}", row["explanation"])
    else:
        render.table(rows, ["id", "label", "provenance", "acceleration", "contrast", "intent"], wraps=["label"])


def _tell(found: "Found", stacks: "list[Stack]", rejects: bool, json: bool) -> None:
    """Stacks to standard output, what came of the files to standard error; exit 1 where there is no stack."""
    from gyrus.console import reasons, render  # noqa: PLC0415

    if json:
        explained = ({"explanation": stack.explanation} if stack.explanation else {} for stack in stacks)
        render.lines([{**stack.record, **more} for stack, more in zip(stacks, explained, strict=True)])
    elif any(stack.explanation for stack in stacks):
        for stack in stacks:
            row = stack.row
            reasons.page(f"{row['series_description'] or row['series_uid']}  {render.label_of(row)}", stack.explanation or {})
    elif stacks:
        render.stacks([stack.row for stack in stacks])
    if rejects:
        render.lines(found.rejected)
    _end(found, stacks)


def _end(found: "Found", stacks: "list[Stack]") -> None:
    _tell_files(found)
    if not stacks:
        print(ALL_REJECTED if found.rejected else NO_FILE, file=sys.stderr)
        raise typer.Exit(1)


def _tell_files(found: "Found") -> None:
    sums = " + ".join(f"{name} {count}" for name, count in found.outcomes.items())
    print(f"seen {sum(found.outcomes.values())} = {sums}", file=sys.stderr)
    reasons: dict[str, int] = {}
    for file in found.rejected:
        reasons[file["reason"]] = reasons.get(file["reason"], 0) + 1
    for reason, count in sorted(reasons.items(), key=lambda pair: -pair[1]):
        print(f"  rejected {count} × {reason}", file=sys.stderr)
    for what, count in found.skipped.items():
        print(f"  skipped {count} × {what}", file=sys.stderr)
    for what, count in sorted(found.diagnostics.items()):
        print(f"  odd {count} × {what}", file=sys.stderr)


def _add_preprocess(app: typer.Typer) -> None:
    @command(
        app,
        "preprocess",
        "Make tensors and a picture of each stack, in DIR/<study>.",
        "preprocess study/ -o volumes/",
        "preprocess study/ -o nifti/ --nifti",
    )
    def preprocess(
        path: Target,
        out: Annotated[str, typer.Option("-o", "--out", metavar="DIR", help="Where they are written: a folder, or s3://bucket/prefix.")],
        nifti: Annotated[
            bool, typer.Option("--nifti", help="Instead write the stored voxels as NIfTI, with .json and .bval, .bvec.")
        ] = False,
        json: Json = False,
        workers: Workers = 1,
    ) -> None:
        """Make volumes."""
        from gyrus.classifier.core import load_rules  # noqa: PLC0415
        from gyrus.console import offline, render, volumes  # noqa: PLC0415

        _check_place(out)
        found = offline.extract(path, workers)
        stacks = offline.classify(found.stacks, load_rules())
        rows = []
        for stack, volume in (volumes.export if nifti else volumes.preprocess)(stacks, out, workers):
            rows.append({**stack.row, "volume": volume})
            if json:
                render.lines([{**stack.record, "volume": volume}])
            else:
                print(f"{len(rows)} of {len(stacks)} stacks", file=sys.stderr)
        if not json and rows:
            render.stacks(rows)
            became = "NIfTI files" if nifti else "volumes"
            print(f"{sum(not row['volume']['refused'] for row in rows)} of {len(rows)} stacks became {became} in {out}")
        _end(found, stacks)
        if all(row["volume"]["refused"] for row in rows):
            raise typer.Exit(1)


def _check_place(out: str) -> None:
    """Raises Misuse for a place where nothing can be written."""
    from gyrus.data.storage import Storage  # noqa: PLC0415

    if not out.strip():
        raise typer.BadParameter("it is empty; name a folder, or s3://bucket/prefix", param_hint="'-o'")
    try:
        Storage(out)
    except ValueError as error:
        raise Misuse(str(error)) from None


def _add_sample(app: typer.Typer) -> None:
    @command(app, "sample", "Write a sample cohort: fictional subjects, real formats.", "sample /tmp/sample")
    def sample(
        folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
        json: Json = False,
    ) -> None:
        """Write the sample cohort."""
        from gyrus.console import render  # noqa: PLC0415
        from gyrus.console.running import write_sample  # noqa: PLC0415

        written = write_sample(folder)
        if json:
            render.lines([written])
        else:
            print(written["folder"])


def _add_topology(app: typer.Typer) -> None:
    @command(app, "topology", "Show stages, subjects and streams.", "topology", "topology --json")
    def topology(json: Json = False) -> None:
        """Print the table that the broker is made from."""
        from gyrus.console import describe, render  # noqa: PLC0415

        if json:
            render.lines([*describe.stages(), *describe.streams()])
            return
        render.table(describe.stages(), ["stage", "room", "collection", "subject", "stream"], "stages")
        render.table(describe.streams(), ["stream", "subjects", "keeps", "max_messages", "max_age_s"], "streams", wraps=["subjects"])


def _add_settings(app: typer.Typer) -> None:
    @command(app, "settings", "Show settings: name, value, where it comes from, what it means.", "settings", "settings extractor")
    def settings(
        room: Annotated[str | None, typer.Argument(help=f"One of {', '.join(ROOMS)}.", show_default="all")] = None,
        json: Json = False,
    ) -> None:
        """Print the settings of this environment."""
        from gyrus.console import describe, render  # noqa: PLC0415

        if room is not None and room not in ROOMS:
            raise typer.BadParameter(f"there is no room '{room}': {', '.join(ROOMS)}")
        rows = describe.settings_of(room)
        if json:
            render.lines(rows)
        else:
            render.table(rows, ["room", "name", "value", "unit", "origin", "meaning"], wraps=["value", "meaning"])
        if wrong := describe.wrong_settings(room):
            print("\n".join(wrong), file=sys.stderr)
            raise typer.Exit(1)
