"""Rates of wrong secrets beside the login: tokens, links, and passwords typed again.

The counts stand where those of the login stand, in Redis, and in the process while Redis is away.
Each kind is counted by what was attacked (an account) or from where (an address).
"""

import hashlib

from flask import abort, current_app, request
from flask_limiter import Limiter
from limits import parse
from limits.errors import StorageError
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, RateLimiter
from redis.exceptions import RedisError

from scheduler.clock import utc_now
from scheduler.events.access import LoginFailed
from webadmin.services import services

WRONG = parse("20 per 15 minutes")
TOKENS = "token"
LINKS = "link"
PASSWORDS = "password"

_in_process = FixedWindowRateLimiter(MemoryStorage())


def refuse_excess(kind: str, key: str | None = None) -> None:
    """Abort with 429 after too many wrong secrets of the kind for `key`, the caller's address by
    default.
    """
    if not _may(kind, key):
        abort(429)


def is_exhausted(kind: str, key: str | None = None) -> bool:
    """Whether there were too many wrong secrets of the kind for `key`."""
    return not _may(kind, key)


def count(kind: str, key: str | None = None) -> None:
    """Count a wrong secret of the kind, and record it among the failed logins.

    Looking at a wrong link is a line of the log only: a GET leaves nothing in the history.
    """
    where = request.remote_addr or ""
    if kind == LINKS and request.method != "POST":
        services().access_log.refuse(at=utc_now(), subject="", address=where, reason="wrong_link")
    else:
        services().access_log.record(
            LoginFailed,
            actor="",
            at=utc_now(),
            subject=key or "",
            address=where,
            detail=f"wrong_{kind}",
        )
    names = _names(kind, key)
    try:
        _shared().hit(WRONG, *names)
    except (RedisError, StorageError):
        _in_process.hit(WRONG, *names)


def _may(kind: str, key: str | None) -> bool:
    names = _names(kind, key)
    try:
        return _shared().test(WRONG, *names)
    except (RedisError, StorageError):
        return _in_process.test(WRONG, *names)


def _names(kind: str, key: str | None) -> tuple[str, str]:
    """The names of a count; a digest, so that Redis stores no mail addresses."""
    text = key if key is not None else request.remote_addr or "unknown"
    return f"wrong-{kind}", hashlib.sha256(text.encode()).hexdigest()[:24]


def _shared() -> RateLimiter:
    limiter: Limiter = next(iter(current_app.extensions["limiter"]))
    return limiter.limiter
