"""Settings: `GYRUS_*` in the environment, one class per room, every field with unit, default and meaning.

`gyrus settings` prints them with their origin. Nothing else reads the environment.
"""

import glob
from pathlib import Path

from pydantic import BaseModel, Field, PositiveFloat, PositiveInt, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from gyrus.shared.subjects import check_pattern

COHORT = r"^[a-z0-9][a-z0-9_-]{0,62}$"  # lower case, digits, - and _


class Source(BaseModel, frozen=True, extra="forbid"):
    """A named place of files."""

    path: Path = Field(description="Where this service sees the source.")
    cohort: str | None = Field(None, pattern=COHORT, description="The cohort of its files; with it the source is watched for good.")
    quiet_s: float | None = Field(None, ge=0, description="How long a series must be still before it is settled; default: GYRUS_QUIET_S.")
    include: tuple[str, ...] = Field((), description="Patterns of names or paths; only such files.")
    exclude: tuple[str, ...] = Field((), description="Patterns of names or paths; no such files.")
    marker: str | None = Field(None, description="A file that is there when the source is mounted; without it everything of it waits.")
    subjects: str | None = Field(
        None, description="Which folder names the subject, e.g. `{subject}`; where a cohort has no rule of its own."
    )

    @property
    def left_out(self) -> tuple[str, ...]:
        """Patterns of files that are not looked at: `exclude`, and the marker."""
        return (*self.exclude, *([glob.escape(self.marker)] if self.marker else []))

    @field_validator("subjects")
    @classmethod
    def _usable(cls, pattern: str | None) -> str | None:
        return None if pattern is None else check_pattern(pattern)


class Settings(BaseSettings):
    """What every service needs."""

    model_config = SettingsConfigDict(env_prefix="GYRUS_", frozen=True, extra="ignore")

    nats_url: str = Field("nats://127.0.0.1:4222", description="NATS servers, separated by commas.")
    mongo_url: str = Field("mongodb://127.0.0.1:27017/?replicaSet=rs0", description="MongoDB; a replica set (transactions).")
    mongo_database: str = Field("gyrus", description="The database that holds all collections.")
    sources: dict[str, Source] = Field(default_factory=dict, description='Named sources: {"inbox": "/data/inbox"}, or objects.')
    sources_file: Path | None = Field(None, description="A JSON file of more sources, looked at again when it changes.")
    uploads: Path | None = Field(None, description="Where the gateway keeps uploaded files; the source `uploads` of every service.")
    site_fields: Path | None = Field(
        None, description="A YAML file of fields that this site reads beside the standard ones; the same for extractor and gateway."
    )
    processed: str | None = Field(None, description="Where tensors and pictures are: a folder, or s3://bucket/prefix.")
    http_host: str = Field("127.0.0.1", description="Address of health and metrics.")
    http_port: int = Field(8080, ge=0, le=65535, description="Port of health and metrics.")
    quiet_s: float = Field(5, ge=0, description="How long a series must be still before it is settled.")
    cap_s: float = Field(60, ge=0, description="How long a series that is never still waits at most.")
    grace_s: PositiveFloat = Field(10.0, description="How long work in hand may take after SIGTERM.")
    ack_wait_s: PositiveFloat = Field(30.0, description="How long NATS waits for an answer before it delivers again; the same for all.")
    away_s: PositiveFloat = Field(10.0, description="After how long work that waits for a source is tried again.")
    retry_s: PositiveFloat = Field(1.0, description="The shortest delay between two tries at work that raised; later ones are longer.")
    sweep_every_s: float = Field(10.0, ge=0, description="How often debts that nobody rang for are looked for; 0: never.")
    sweep_after_s: float = Field(60.0, ge=0, description="How old a debt is when a sweep rings for it.")
    files_max_messages: PositiveInt = Field(2_000, description="Batches that FILES holds; more wait in MongoDB.")
    crash_points: str = Field("", description="Tests only: named crash points to arm, as JSON.")

    def quiet_and_cap(self, source: Source, asked_s: float | None = None) -> dict[str, float]:
        """How long a series of a source must be still, and waits at most: as it was asked for, else as the source says."""
        quiet_s = next(one for one in (asked_s, source.quiet_s, self.quiet_s) if one is not None)
        return {"quiet_s": quiet_s, "cap_s": max(self.cap_s, quiet_s)}

    @field_validator("sources", mode="before")
    @classmethod
    def _plain_paths(cls, value: object) -> object:
        if isinstance(value, dict):
            return {name: {"path": source} if isinstance(source, str) else source for name, source in value.items()}
        return value

    @model_validator(mode="after")
    def _one_folder_of_uploads(self) -> "Settings":
        named = self.sources.get("uploads")
        if self.uploads and named and named.path != self.uploads:
            raise ValueError(
                f"GYRUS_SOURCES names 'uploads' as {named.path}, GYRUS_UPLOADS as {self.uploads}: name the same folder, or one only."
            )
        return self
