"""The metrics of every room: names, labels and meanings in one place. Labels have few, closed values; none names a person, file or UID."""

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, Info

from gyrus.shared.topology import STAGES

OWED = Gauge("gyrus_owed", "Documents that owe a stage.", ["stage"])
OLDEST = Gauge("gyrus_owed_oldest_age_seconds", "Age of the oldest debt of a stage; 0 where nothing is owed.", ["stage"])
FAILURES = Gauge("gyrus_failures", "Documents whose work failed five times and waits for a person.", ["stage"])
DONE = Counter("gyrus_work", "Messages and debts answered, by how it ended.", ["stage", "result"])
SECONDS = Histogram(
    "gyrus_work_seconds", "Time from taking a debt up to its answer.", ["stage"], buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)
)
FILES = Counter("gyrus_files", "Files read, by outcome (pending: an image that waits for its series to settle).", ["outcome", "reason"])
HEADERS = Counter(
    "gyrus_headers",
    "Headers read, by what read them: `walk`, or why pydicom had to; `mismatch` and `fault` must not happen.",
    ["by"],
)
RINGS = Counter("gyrus_sweep_rings", "Bells that a sweep rang again.", ["stage"])
DEAD = Counter("gyrus_dead_letters", "Messages that could not be parsed.", ["stage"])
INFO = Info("gyrus_build", "Version and room of this process.")

RESULTS = ("done", "later", "raised", "failed", "away")


def prepare(room: str, version: str) -> None:
    """Make every child of this room, so that rates work from zero."""
    INFO.info({"room": room, "version": version})
    for stage in STAGES.values():
        if stage.room == room:
            for gauge in (OWED, OLDEST, FAILURES):
                gauge.labels(stage.name).set(0)
            for result in RESULTS:
                DONE.labels(stage.name, result)
            SECONDS.labels(stage.name)
            RINGS.labels(stage.name)
            DEAD.labels(stage.name)


__all__ = ["DEAD", "DONE", "FAILURES", "FILES", "HEADERS", "INFO", "OLDEST", "OWED", "REGISTRY", "RESULTS", "RINGS", "SECONDS", "prepare"]
