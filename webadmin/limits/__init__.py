"""Limits of what costs or guesses: logins, hashes of passwords, and calls of open endpoints.

login             a login on its way through the gate
login_gate        which login may try a password now: delays, not lock-outs
devices           the signed cookie of a device from which an account has logged in
hashing           few hashes of passwords at once
open_endpoints    rates of the endpoints that anyone may call
too_many          the answer 429
"""

from flask import Flask

from scheduler.settings.schema import Settings
from webadmin.counting.counters import Counters
from webadmin.limits import open_endpoints, too_many
from webadmin.limits.hashing import HashSlots
from webadmin.limits.login_gate import LoginGate
from webadmin.limits.open_endpoints import STARTER

__all__ = ["STARTER", "hash_slots", "install", "login_gate"]


def install(app: Flask, settings: Settings) -> None:
    """Install the gate of logins, the slots for hashes, and the rates of open endpoints."""
    counters = Counters(open_endpoints.storage_address(settings))
    app.extensions["counters"] = counters
    app.extensions["login_gate"] = LoginGate(counters)
    app.extensions["hash_slots"] = HashSlots()
    too_many.install(app)
    open_endpoints.install(app, settings)


def login_gate(app: Flask) -> LoginGate:
    """Return the app's gate of logins."""
    gate: LoginGate = app.extensions["login_gate"]
    return gate


def hash_slots(app: Flask) -> HashSlots:
    """Return the app's slots for hashes of passwords."""
    slots: HashSlots = app.extensions["hash_slots"]
    return slots
