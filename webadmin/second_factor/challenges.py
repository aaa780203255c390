"""Challenges for passkeys: random bytes that an authenticator signs, once, for one purpose.

The signed cookie holds the challenge of this browser; a count notes it as used, so that a copied
cookie and a copied answer open nothing.
"""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, Literal, NamedTuple

from flask import current_app, request
from flask import session as cookie

from scheduler.accounts.passkeys import Site
from scheduler.clock import utc_now
from webadmin.counting.counters import Counters
from webadmin.counting.names import short_digest
from webadmin.front.hosts import is_address, name_of
from webadmin.services import services

Purpose = Literal["add", "login"]

LONGEST_WAIT = 10 * 60
"""Seconds between a question (a challenge, a code) and its answer."""

_NAME = "passkey"


class Challenge(NamedTuple):
    """A challenge; `note` is what belongs to its answer."""

    challenge: bytes
    note: str


def site() -> Site | None:
    """Return the site of the request, for passkeys.

    None for a bare address, where browsers have none, and where logins here are switched off.
    """
    name = name_of(request.host)
    if not name or is_address(name) or not services().settings.local_login:
        return None
    return Site(name, f"{request.scheme}://{request.host}")


def is_recent(state: dict[str, Any]) -> bool:
    """Whether what a cookie holds was stored, at its moment `at`, within `LONGEST_WAIT` seconds."""
    return 0 <= utc_now().timestamp() - float(state["at"]) <= LONGEST_WAIT


def make() -> bytes:
    """Return a new challenge of 256 bits."""
    return secrets.token_bytes(32)


def remember(purpose: Purpose, challenge: bytes, note: str = "") -> None:
    """Remember a challenge in the cookie, in the place of an earlier one."""
    text = urlsafe_b64encode(challenge).decode("ascii")
    cookie[_NAME] = {
        "for": purpose,
        "text": text,
        "at": utc_now().timestamp(),
        "note": note,
    }


def take(purpose: Purpose) -> Challenge | None:
    """Return the challenge of this browser and forget it; None for a used or old one."""
    state = cookie.pop(_NAME, None)
    if not isinstance(state, dict) or state["for"] != purpose:
        return None
    if not is_recent(state):
        return None
    counters: Counters = current_app.extensions["counters"]
    used = counters.add(f"challenge-{short_digest(state['text'])}", 2 * LONGEST_WAIT).value
    return Challenge(urlsafe_b64decode(state["text"]), state["note"]) if used == 1 else None
