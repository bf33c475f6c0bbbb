"""What the API takes and gives. Names are those of the documents."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from gyrus.shared.settings import COHORT
from gyrus.shared.subjects import LONGEST, MOST, check_map, check_pattern

Pattern = Annotated[str, Field(min_length=1, max_length=1000)]


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
    dry_run: bool = Field(False, description="Only count the files, by subject folder; nothing is read.")
    include: list[Pattern] = Field([], max_length=100, description="Only files whose name, or path if it has a `/`, is like one of these.")
    exclude: list[Pattern] = Field([], max_length=100, description="No files whose name, or path if it has a `/`, is like one of these.")
    batch_files: int | None = Field(None, ge=1, le=1000, description="Files in one batch.")
    workers: int | None = Field(None, ge=1, le=64, description="Processes that read a batch, at most those that the extractor has.")
    quiet_s: float | None = Field(None, ge=0, le=86_400, description="How long a series must be still before it is settled.")
    subjects: str | None = Field(None, max_length=LONGEST, description="Which folder names the subject, from now on; empty: none does.")
    subject_map: dict[str, str] | None = Field(None, max_length=MOST, description="Subject codes by folder, from now on.")

    @field_validator("subjects")
    @classmethod
    def _usable(cls, pattern: str | None) -> str | None:
        return check_pattern(pattern) if pattern else pattern

    @field_validator("subject_map")
    @classmethod
    def _fit(cls, codes: dict[str, str] | None) -> dict[str, str] | None:
        return None if codes is None else check_map(codes)


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


class StudyQuestion(Listing):
    """Which studies to list."""

    subject: str | None = Field(None, description="Id of a subject.")


class SeriesQuestion(StudyQuestion):
    """Which series to list."""

    study: str | None = Field(None, description="Id of a study.")


class StackQuestion(SeriesQuestion):
    """Which stacks to list."""

    series: str | None = Field(None, description="Id of a series.")
    review_group: str | None = Field(None, description="Only of this group of stacks to look at.")

    def query(self) -> dict[str, Any]:
        """What the documents must be."""
        asked = super().query()
        group = asked.pop("review_group", None)
        return asked if group is None else {**asked, "classification.review_group": group}


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
