"""Settings of the gateway."""

from pydantic import Field, SecretStr

from gyrus.shared.settings import Settings


class GatewaySettings(Settings):
    """What the gateway needs."""

    api_key: SecretStr = Field(min_length=16, description="The key that every request but health must bear (Authorization: Bearer …).")
    metrics_of: dict[str, str] = Field(default_factory=dict, description="Services whose metrics are shown here too: name to URL.")
