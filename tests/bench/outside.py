"""Programs of others that gyrus is measured against: dcm2niix, and Orthanc with DCMTK's dcmsend or its own REST API as the way in."""

import http.client
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.harness import cpu_s
from gyrus.console.servers import Ports, start_process, stop_process

PATIENCE_S = 30
NO_DELAY = {"TCP_NODELAY": "1"}  # DCMTK's switch; without it at both ends each file waits for a timer of TCP
SENDER = "DCMSEND"


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A program that ran to its end: wall time and CPU in s, and what it printed."""

    seconds: float
    cpu_s: float
    text: str


def ran(command: Sequence[str], log: Path, cwd: Path | None = None, **environment: str) -> Ran:
    """Run a program; its CPU is that of its children too."""
    started = time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, cwd=cwd, env={**os.environ, **environment})
        _, _, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    process.returncode = 0  # it was waited for here
    return Ran(seconds=seconds, cpu_s=usage.ru_utime + usage.ru_stime, text=log.read_text(errors="replace"))


def names_of(folder: Path) -> list[str]:
    """All files below a folder, by their paths in it."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


# ── one core ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def pinned(process: int, core: int) -> Iterator[None]:
    """A process on one core; afterwards where it was."""
    before = os.sched_getaffinity(process)
    pin(process, {core})
    try:
        yield
    finally:
        pin(process, before)


def pin(process: int, cores: set[int]) -> None:
    """All threads of a process on these cores; those that they start later too."""
    for task in Path(f"/proc/{process}/task").iterdir():
        with suppress(ProcessLookupError):  # a thread that ended meanwhile
            os.sched_setaffinity(int(task.name), cores)


# ── dcm2niix ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def dcm2niix() -> Path | None:
    """The program; where PyPI's package put Python in front of it, the one behind."""
    there = shutil.which("dcm2niix")
    if there is None or Path(there).read_bytes()[:2] != b"#!":
        return Path(there) if there else None
    return next(Path(there).parents[1].glob("lib/python3*/site-packages/dcm2niix/dcm2niix"), None)


def write_sidecars(program: Path, files: Path, folder: Path, core: int) -> tuple[Ran, int, int]:
    """`dcm2niix -b o` on one core: what it took, how many files it took for images, how many sidecars it wrote."""
    out = folder / "sidecars"
    out.mkdir(parents=True)
    once = ran(["taskset", "-c", str(core), str(program), "-b", "o", "-d", "9", "-o", str(out), str(files)], folder / "dcm2niix.log")
    found = re.search(r"Found (\d+) DICOM", once.text)
    assert found, once.text[-2000:]
    return once, int(found[1]), len(list(out.glob("*.json")))


# ── Orthanc ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """Files sent to Orthanc: wall time until the last is searchable, CPU at both ends in s, instances there afterwards, files refused."""

    seconds: float
    server_cpu_s: float
    sender_cpu_s: float
    instances: int
    refused: list[str]


class Orthanc:
    """Orthanc without plugins, its SQLite index and its files in a folder; it takes images from this machine only."""

    def __init__(self, folder: Path) -> None:
        self.folder, ports = folder, Ports(folder)
        self.dicom, self.http = ports.get("dicom"), ports.get("http")
        self._config, store = folder / "orthanc.json", str(folder / "store")
        config: dict[str, Any] = {"StorageDirectory": store, "IndexDirectory": store, "Plugins": []}
        config |= {"DicomPort": self.dicom, "HttpPort": self.http, "RemoteAccessAllowed": False, "AuthenticationEnabled": False}
        config |= {
            "DicomAlwaysAllowStore": False,
            "DicomCheckModalityHost": True,
            "DicomModalities": {"sender": [SENDER, "127.0.0.1", 104]},
        }
        self._config.write_text(json.dumps(config))

    def start(self) -> None:
        self.process = start_process(["Orthanc", str(self._config)], self.folder / "orthanc.log", {**os.environ, **NO_DELAY})
        deadline = time.monotonic() + PATIENCE_S
        while not self._answers():
            assert self.process.poll() is None and time.monotonic() < deadline, (self.folder / "orthanc.log").read_text()[-2000:]
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            return bool(self.ask("GET", "/system"))
        except OSError:
            return False

    def stop(self) -> None:
        stop_process(self.process)

    def ask(self, method: str, path: str, body: bytes = b"") -> Any:
        """One request; the JSON of its answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=PATIENCE_S)
        try:
            connection.request(method, path, body)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def count(self) -> int:
        """Instances that a search finds."""
        everything = json.dumps({"Level": "Instance", "Query": {}}).encode()
        found = len(self.ask("POST", "/tools/find", everything))
        assert found == self.ask("GET", "/statistics")["CountInstances"]
        return found

    def by_dcmsend(self, files: Path) -> Delivery:
        """All files of a folder over DICOM, one association after the other."""
        before, report = cpu_s([self.process.pid]), self.folder / "report.txt"
        report.unlink(missing_ok=True)
        ways = ["-aet", SENDER, "--no-halt", "--scan-directories", "--recurse", "--create-report-file", str(report)]
        sent = ran(["dcmsend", *ways, "127.0.0.1", str(self.dicom), str(files)], self.folder / "dcmsend.log", **NO_DELAY)
        spent = cpu_s([self.process.pid]) - before
        assert report.exists(), sent.text[-2000:]
        blocks = re.findall(r"^Filename +: (.+?)$.+?^DIMSE Status +: (.+?)$", report.read_text(errors="replace"), re.S | re.M)
        taken = {str(Path(name).relative_to(files)) for name, status in blocks if status.startswith("0x0000")}
        refused = [name for name in names_of(files) if name not in taken]
        return Delivery(seconds=sent.seconds, server_cpu_s=spent, sender_cpu_s=sent.cpu_s, instances=self.count(), refused=refused)

    def by_rest(self, files: Path) -> Delivery:
        """All files of a folder over one HTTP connection, one after the other."""
        names, refused = names_of(files), []
        before, own, started = cpu_s([self.process.pid]), time.process_time(), time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=PATIENCE_S)
        for name in names:
            connection.request("POST", "/instances", (files / name).read_bytes(), {"Content-Type": "application/dicom"})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                refused.append(name)
        seconds, spent, sender = time.monotonic() - started, cpu_s([self.process.pid]) - before, time.process_time() - own
        connection.close()
        return Delivery(seconds=seconds, server_cpu_s=spent, sender_cpu_s=sender, instances=self.count(), refused=refused)


@contextmanager
def orthanc(folder: Path) -> Iterator[Orthanc]:
    """One that is empty, until the end."""
    folder.mkdir(parents=True)
    server = Orthanc(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
