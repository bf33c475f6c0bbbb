"""The gateway as a service: one HTTP application over MongoDB and NATS."""

from fastapi import FastAPI

from gyrus.gateway.api import application
from gyrus.gateway.settings import GatewaySettings
from gyrus.gateway.steering import Steering
from gyrus.shared.health import Health
from gyrus.shared.service import Service, main


def make() -> Service:
    """The gateway, wired."""
    settings = GatewaySettings()
    service = Service("gateway", settings)
    steering = Steering(service.store, service.bus, service.sources, settings)

    def web(health: Health) -> FastAPI:
        return application(service, settings, steering, health)

    service.web = web
    return service


def run() -> None:
    """Until it is told to stop."""
    main(make)
