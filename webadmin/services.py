"""The engine's parts, as the console's views reach them."""

from typing import cast

from flask import current_app

from scheduler.services.services import Services


def services() -> Services:
    """The parts of this process."""
    return cast(Services, current_app.extensions["services"])
