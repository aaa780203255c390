"""Rates of wrong secrets beside the login: tokens, links, passwords typed again, and logins from
outside.

Each kind is counted by what was attacked (an account) or from where (a network).
"""

from flask import abort, current_app, request

from scheduler.clock import utc_now
from scheduler.events.access import LoginFailed
from webadmin.access.recording import record
from webadmin.counting.counters import Counters
from webadmin.counting.names import network_of, short_digest
from webadmin.services import services

MOST = 20
WINDOW = 15 * 60
TOKENS = "token"
LINKS = "link"
PASSKEYS = "passkey"
PASSWORDS = "password"
OUTSIDE = "outside"


def refuse_excess(kind: str, key: str | None = None) -> None:
    """Abort with 429 after too many wrong secrets of the kind for `key`, the caller's network by
    default.
    """
    if is_exhausted(kind, key):
        abort(429)


def is_exhausted(kind: str, key: str | None = None) -> bool:
    """Whether there were too many wrong secrets of the kind for `key`."""
    return _counters().value(_name(kind, key)) >= MOST


def count(kind: str, key: str | None = None) -> None:
    """Count a wrong secret of the kind, and record it among the failed logins.

    Looking at a wrong link is a line of the log only: a GET leaves nothing in the history.
    """
    reason = f"wrong_{kind}"
    if kind == LINKS and request.method != "POST":
        services().access_log.refuse(
            at=utc_now(), subject="", address=request.remote_addr or "", reason=reason
        )
    else:
        record(LoginFailed, actor="", subject=key or "", detail=reason)
    _counters().add(_name(kind, key), WINDOW)


def count_from_outside(subject: str, detail: str) -> bool:
    """Count and record a login that was refused to a person from outside.

    Returns False after too many: then nothing is recorded, since strangers may call at any rate.
    """
    if _counters().add(_name(OUTSIDE, None), WINDOW).value > MOST:
        return False
    record(LoginFailed, actor="", subject=subject, detail=detail)
    return True


def _name(kind: str, key: str | None) -> str:
    text = network_of(request.remote_addr or "") if key is None else key
    return f"wrong-{kind}-{short_digest(text)}"


def _counters() -> Counters:
    counters: Counters = current_app.extensions["counters"]
    return counters
