"""What the API takes and gives. Names are those of the documents."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

COHORT = r"^[a-z0-9][a-z0-9_-]{0,62}$"


class Model(BaseModel):
    """Closed: an unknown field is a mistake that the caller should hear of."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class JobRequest(Model):
    """A scan to start: a folder as the servers see it, or a source and a path in it, or neither: all that the cohort was fed from."""

    cohort: str = Field("default", pattern=COHORT, description="Namespace: lower case, digits, - and _.")
    folder: str | None = Field(None, description="An absolute folder or file that lies in a source.")
    source: str | None = Field(None, description="Name of a source.")
    path: str = Field("", description="Text path within the source, without `..`.")
    again: bool = Field(False, description="Open every file again, even if nothing changed.")
    batch_files: int | None = Field(None, ge=1, le=1000, description="Files in one batch.")
    workers: int | None = Field(None, ge=1, le=64, description="Processes that read a batch, at most those that the extractor has.")
    quiet_s: float | None = Field(None, ge=0, le=86_400, description="How long a series must be still before it is settled.")


class UploadRequest(Model):
    """Where the files of an upload belong; the files are its body."""

    cohort: str = Field("default", pattern=COHORT, description="Namespace: lower case, digits, - and _.")
    quiet_s: float | None = Field(None, ge=0, le=86_400, description="How long a series must be still before it is settled.")


class Page(Model):
    """One page; `next` is the cursor of the following one, null at the end."""

    items: list[dict[str, Any]]
    next: str | None


class Listing(Model):
    """A page of a list, and which documents: all of them where nothing is said."""

    cohort: str | None = Field(None, description="Only of this cohort.")
    cursor: str | None = Field(None, description="`next` of the page before.")
    limit: int = Field(100, ge=1, le=1000, description="How many at most.")
    phi: bool = Field(False, description="Also what identifies a person (names, ids, paths); the read is audited.")

    def query(self) -> dict[str, Any]:
        """What the documents must be."""
        return self.model_dump(exclude_none=True, exclude={"cursor", "limit", "phi"})


class Question(Listing):
    """Which subjects, studies, series or stacks to list."""

    study: str | None = Field(None, description="Id of a study.")
    series: str | None = Field(None, description="Id of a series.")
    subject: str | None = Field(None, description="Id of a subject.")


class FileQuestion(Listing):
    """Which files to list."""

    outcome: str | None = Field(None, description="extracted, duplicate, conflicting or rejected.")
    reason: str | None = Field(None, description="Why it was rejected.")


class Problem(Model):
    """What went wrong, where, and what to do."""

    detail: str


class Retry(Model):
    """Which failures to owe again; all of them where nothing is said."""

    stage: str | None = None
    id: str | None = None


class Count(Model):
    """How many documents an action concerned."""

    count: int
