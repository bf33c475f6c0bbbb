"""The one table of streams, subjects, consumers, waits, limits and stages.

`gyrus.shared.bus` makes the broker's state from it, `gyrus topology` prints it, the sweeps ring by it and the manifests are checked
against it. Nothing else names a stream, a subject or a stage.
"""

from dataclasses import dataclass

from gyrus.shared.events import Event, FilesFound, JobRequested, StackClassified, StackPreprocessed, StudyChanged


@dataclass(frozen=True, kw_only=True)
class Stream:
    """A JetStream stream. `work`: a message leaves when it is answered; otherwise it stays for `max_age_s`, for several readers."""

    name: str
    subjects: tuple[str, ...]
    work: bool
    max_messages: int
    max_age_s: int


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A kind of work: the collection whose documents owe it, the room that pays, and the bell that rings for it.

    `settle`, `delete`, `diff` and `apply` have no bell: their rooms look for what is due. A job without a bell of its own
    would wait for a sweep.
    """

    name: str
    room: str
    collection: str
    event: type[Event] | None = None
    names: str = ""  # the field of the event that is the document's _id
    stream: str = ""


STREAMS = (
    Stream(name="WORK", subjects=("gyrus.jobs.requested", "gyrus.study.changed"), work=True, max_messages=1_000_000, max_age_s=0),
    # Bounded, and new messages are refused when it is full: that is the watcher's back-pressure.
    Stream(name="FILES", subjects=("gyrus.files.found",), work=True, max_messages=2_000, max_age_s=0),
    Stream(name="FACTS", subjects=("gyrus.stack.classified", "gyrus.stack.preprocessed"), work=False, max_messages=-1, max_age_s=86_400),
)

STAGES = {
    stage.name: stage
    for stage in (
        Stage(name="scan", room="watcher", collection="jobs", event=JobRequested, names="job", stream="WORK"),
        Stage(name="read", room="extractor", collection="batches", event=FilesFound, names="batch", stream="FILES"),
        Stage(name="settle", room="extractor", collection="series"),
        Stage(name="classify", room="classifier", collection="studies", event=StudyChanged, names="study", stream="WORK"),
        Stage(name="preprocess", room="preprocessor", collection="stacks", event=StackClassified, names="stack", stream="FACTS"),
        Stage(name="diff", room="classifier", collection="rulesets"),
        Stage(name="apply", room="classifier", collection="rulesets"),
        Stage(name="delete", room="extractor", collection="deletions"),
    )
}

SUBJECTS: dict[type[Event], str] = {
    JobRequested: "gyrus.jobs.requested",
    FilesFound: "gyrus.files.found",
    StudyChanged: "gyrus.study.changed",
    StackClassified: "gyrus.stack.classified",
    StackPreprocessed: "gyrus.stack.preprocessed",
}

DUPLICATE_WINDOW_S = 60  # a message id is remembered so long; a repeated publication within it vanishes
MAX_TRIES = 5  # raised errors until work becomes a failure
MAX_DELIVERIES = 20  # deliveries without an answer (a killed worker gives none) until each counts as a raised error
RETRY_FACTORS = (1, 3, 10, 30)  # of the shortest delay between tries


def stream_of(subject: str) -> str:
    """The stream that stores a subject."""
    return next(stream.name for stream in STREAMS if subject in stream.subjects)
