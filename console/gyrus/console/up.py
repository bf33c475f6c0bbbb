"""`gyrus up`: servers, services and their settings on one machine, in one data directory, until it is told to stop."""

import fcntl
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from pydantic_settings import SettingsError

from gyrus.console.servers import Mongo, Nats, Ports, check_system, start_process, stop_process
from gyrus.console.signals import held
from gyrus.dicom.site_fields import SiteFieldsError, site_fields_of
from gyrus.shared.errors import Misuse
from gyrus.shared.policy import Policy
from gyrus.shared.settings import COHORT, Settings
from gyrus.shared.sources import Sources, folder_name

GRACE_S = 5.0  # services, then nats-server, then mongod: all within 15 s
ROOMS = ("watcher", "extractor", "classifier", "preprocessor", "gateway")


@dataclass(frozen=True)
class Address:
    """Where the gateway answers, and with which key."""

    url: str
    key: str


class Up:
    """The whole system below a data directory."""

    def __init__(self, data: Path, extra: Mapping[str, str] | None = None, watch: tuple[Path, str] | None = None) -> None:
        self.data = data.resolve()
        self.watched = watch and (watch[0].resolve(), watch[1])
        try:
            self.data.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Misuse(f"{self.data} cannot be the data directory: {error.strerror}.") from None
        self._lock = (self.data / "lock").open("w")
        self._extra = dict(extra or {})
        self._grace_s = GRACE_S
        self.services: dict[str, subprocess.Popen[bytes]] = {}
        self.nats: Nats | None = None
        self.mongo: Mongo | None = None

    # ── start ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> Address:
        """Start everything and wait until it is ready. Raises Misuse where it cannot be, or runs already."""
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Misuse(f"gyrus is up already on {self.data}: stop it first, or name another directory with --data.") from None
        self._settings()
        ports = Ports(self.data)
        environment = self._environment(ports)
        self._grace_s = float(environment["GYRUS_GRACE_S"])
        self._start_servers(ports, environment)
        for room in ROOMS:
            self._start_service(room, environment, ports)
        address = Address(f"http://127.0.0.1:{ports.get_known('gateway')}", environment["GYRUS_API_KEY"])
        (self.data / "address.json").write_text(json.dumps({"url": address.url, "key_file": str(self.data / "key")}))
        self._wait_until_ready(ports)
        return address

    def _start_servers(self, ports: Ports, environment: dict[str, str]) -> None:
        given = [name for name in ("GYRUS_NATS_URL", "GYRUS_MONGO_URL") if name in os.environ]
        if len(given) < 2:
            check_system()
        if "GYRUS_NATS_URL" not in given:
            self.nats = Nats(self.data / "nats", ports.get("nats"), ports.get("nats-monitor"))
            self.nats.start()
            environment["GYRUS_NATS_URL"] = self.nats.url
        if "GYRUS_MONGO_URL" not in given:
            self.mongo = Mongo(self.data / "mongo", ports.get("mongo"))
            self.mongo.start()
            environment["GYRUS_MONGO_URL"] = self.mongo.url

    def _environment(self, ports: Ports) -> dict[str, str]:
        """The settings of all services: our own where the person set none."""
        ours = {
            "GYRUS_SOURCES_FILE": str(self.data / "sources.json"),
            "GYRUS_PROCESSED": str(self.data / "processed"),
            "GYRUS_UPLOADS": str(self._folder("uploads")),
            "GYRUS_GRACE_S": str(GRACE_S),
            "GYRUS_SUBJECT_KEY": self._secret("subject-key"),
            "GYRUS_API_KEY": self._secret("key", os.environ.get("GYRUS_API_KEY")),
            "GYRUS_METRICS_OF": json.dumps({room: f"http://127.0.0.1:{ports.get(room)}/metrics" for room in ROOMS if room != "gateway"}),
        }
        return {**ours, **os.environ, **self._extra, **self._watched_source()}

    def _watched_source(self) -> dict[str, str]:
        """GYRUS_SOURCES with the watched folder, under a name that stays its own: `sources.json` remembers it."""
        if self.watched is None:
            return {}
        folder, cohort = self.watched
        settings = self._settings()
        sources = Sources(settings)
        name = next((name for name, source in sources.all().items() if source.path == folder), None)
        if name is None:
            name = folder_name(folder) if "inbox" in sources.all() else "inbox"
            sources.add(folder, name)
        given = {**settings.sources, name: sources.all()[name].model_copy(update={"cohort": cohort})}
        return {"GYRUS_SOURCES": json.dumps({one: source.model_dump(mode="json", exclude_defaults=True) for one, source in given.items()})}

    def _settings(self) -> Settings:
        """What the environment sets for every service. Raises Misuse where that cannot be."""
        if self.watched and not re.match(COHORT, self.watched[1]):
            raise Misuse(f"'{self.watched[1]}' is no name of a cohort: lower case letters, digits, - and _.")
        try:
            settings = Settings(sources_file=self.data / "sources.json")
            site_fields_of(settings.site_fields)
            Policy()
            return settings
        except (ValidationError, SettingsError, SiteFieldsError) as error:
            raise Misuse(f"The settings of the environment cannot be used: {error}") from None

    def _folder(self, name: str) -> Path:
        folder = self.data / name
        folder.mkdir(exist_ok=True)
        return folder

    def _secret(self, name: str, given: str | None = None) -> str:
        path = self.data / name
        if given or not path.exists():
            path.touch(mode=0o600)
            path.write_text(given or secrets.token_urlsafe(32))
        return path.read_text().strip()

    def _start_service(self, room: str, environment: Mapping[str, str], ports: Ports) -> None:
        logs = self.data / "logs"
        logs.mkdir(exist_ok=True)
        settings = {**environment, "GYRUS_HTTP_PORT": str(ports.get(room))}
        with held():
            # -P: what lies in the folder where it was typed is not imported
            self.services[room] = start_process([sys.executable, "-P", "-m", f"gyrus.{room}"], logs / f"{room}.log", settings)

    def _wait_until_ready(self, ports: Ports) -> None:
        deadline = time.monotonic() + 120
        for room in ROOMS:
            while not _answers(f"http://127.0.0.1:{ports.get_known(room)}/readyz"):
                if self.services[room].poll() is not None:
                    log = self.data / "logs" / f"{room}.log"
                    raise Misuse(f"The {room} did not start; the end of {log}:\n{log.read_text(errors='replace')[-1500:]}")
                if time.monotonic() > deadline:
                    raise Misuse(f"The {room} is not ready after two minutes; see {self.data / 'logs' / f'{room}.log'}")
                time.sleep(0.05)

    # ── live and stop ────────────────────────────────────────────────────────────────────────────────────────────────

    def wait(self) -> str:
        """Until a signal says stop, or a part ends by itself; what it was."""
        received: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda signum, _: received.append(signum))
        while not received:
            if ended := self.ended():
                return ended
            time.sleep(0.2)
        return "asked to stop"

    def ended(self) -> str:
        """The part that ended by itself, in words; empty if all live."""
        for name, process in self._processes().items():
            if process.poll() is not None:
                return f"the {name} ended by itself (exit {process.returncode}); see {self.data / 'logs'}"
        return ""

    def _processes(self) -> dict[str, subprocess.Popen[bytes]]:
        servers = {"nats-server": self.nats and self.nats.process, "mongod": self.mongo and self.mongo.process}
        return {**self.services, **{name: process for name, process in servers.items() if process}}

    def stop(self) -> None:
        """Services first, together; then their servers."""
        for process in self.services.values():
            process.terminate()
        deadline = time.monotonic() + self._grace_s + 1
        for process in self.services.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                stop_process(process, 0.1)
        for server in (self.nats, self.mongo):
            if server:
                server.stop()
        self._lock.close()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - loopback
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
