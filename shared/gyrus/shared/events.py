"""Events: claim checks that ring for a debt. They name documents and carry nothing else – no path, no clinical value.

Adding an optional field is compatible (unknown fields are ignored); everything else is a new subject. `tests/contracts` holds a golden
sample of each.
"""

from pydantic import BaseModel, ConfigDict, Field


class Event(BaseModel):
    """Base of all events: frozen, forward compatible."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    cohort: str = Field(min_length=1, description="Namespace of everything that the event names.")


class JobRequested(Event):
    """Somebody asked for a scan; rings `scan`."""

    job: str = Field(min_length=1, description="ULID of the job.")


class FilesFound(Event):
    """A batch of files waits to be read; rings `read`."""

    batch: str = Field(min_length=1, description="ULID of the batch.")


class StudyChanged(Event):
    """Stacks of a study, or the study itself, changed; rings `classify`."""

    study: str = Field(min_length=1, description="`_id` of the study: cohort/StudyInstanceUID.")
    n: int = Field(ge=0, description="The study's `owed.classify.n` when it was owed.")


class StackClassified(Event):
    """A stack's label, version or plan changed; rings `preprocess`."""

    stack: str = Field(min_length=1, description="`_id` of the stack: cohort/SeriesInstanceUID/digest of its key.")
    n: int = Field(ge=0, description="The stack's `owed.preprocess.n` when it was owed.")


class StackPreprocessed(Event):
    """A stack's volume, or the refusal of one, was written; for whoever listens."""

    stack: str = Field(min_length=1, description="`_id` of the stack.")
