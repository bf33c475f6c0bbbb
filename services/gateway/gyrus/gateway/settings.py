"""Settings of the gateway."""

from pathlib import Path

from pydantic import Field, PositiveFloat, PositiveInt, SecretStr, field_validator

from gyrus.dicom.site_fields import site_fields_of
from gyrus.shared.settings import Settings


class GatewaySettings(Settings):
    """What the gateway needs."""

    api_key: SecretStr = Field(min_length=16, description="The key that every request but health must bear (Authorization: Bearer …).")
    metrics_of: dict[str, str] = Field(default_factory=dict, description="Services whose metrics are shown here too: name to URL.")
    upload_max_bytes: PositiveInt = Field(20 << 30, description="Bytes that an upload may have, as it comes and unzipped.")
    upload_max_members: PositiveInt = Field(100_000, description="Members that an uploaded zip may have.")
    upload_spare_bytes: int = Field(1 << 30, ge=0, description="Room on disk that uploads leave free, bytes.")
    upload_idle_s: PositiveFloat = Field(60, description="How long the next bytes of an upload are waited for.")
    upload_grace_s: PositiveFloat = Field(
        600, description="After how long without a sign of life a part is removed; more than the idle time."
    )
    uploads_at_once: PositiveInt = Field(4, description="Uploads that one gateway takes at once; more are told to try again.")

    @field_validator("site_fields")
    @classmethod
    def _readable(cls, path: Path | None) -> Path | None:
        site_fields_of(path)
        return path
