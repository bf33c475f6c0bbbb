"""Settings of the extractor."""

from pathlib import Path

from pydantic import Field, PositiveFloat, PositiveInt, SecretStr, field_validator

from gyrus.dicom.site_fields import site_fields_of
from gyrus.shared.settings import Settings


class ExtractorSettings(Settings):
    """What the extractor needs."""

    subject_key: SecretStr = Field(
        min_length=16, description="Secret of the subject codes (S + digits of a keyed digest of PatientID); the same for all extractors."
    )
    read_workers: PositiveInt = Field(2, description="Processes that read headers and settle series.")
    read_limit_s: PositiveFloat = Field(60.0, description="How long reading one header may take; then its process is killed.")
    read_memory_mb: PositiveInt = Field(1024, description="Memory in MB that each of these processes may take beside what it starts with.")
    read_batches: PositiveInt = Field(4, description="Batches in hand at once.")
    settle_at_once: PositiveInt = Field(4, description="Series that are settled at once.")
    settle_limit_s: PositiveFloat = Field(600.0, description="How long computing one series, or comparing one file, may take.")
    settle_every_s: float = Field(0.3, ge=0, description="How often series that are due are looked for; 0: never.")

    @field_validator("site_fields")
    @classmethod
    def _readable(cls, path: Path | None) -> Path | None:
        site_fields_of(path)
        return path
