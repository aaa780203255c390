"""Access to the engine's services for the console's views."""

from typing import cast

from flask import current_app

from scheduler.accounts.passkeys import Passkeys
from scheduler.services.services import Services


def services() -> Services:
    """Return the current process's services."""
    return cast(Services, current_app.extensions["services"])


def passkeys() -> Passkeys:
    """Return the passkeys of people."""
    return Passkeys(services().engine)
