"""Rate limits: wrong logins per address and per account, and calls of the open endpoints.

The counts are in Redis, shared by all web processes. During an outage of Redis each process counts
for itself, so that an outage locks nobody out. Right logins cost nothing.
"""

import hashlib
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from scheduler.settings.schema import Settings
from scheduler.storage import keys
from scheduler.storage.addresses import redis_address, sentinels
from webadmin.tutorial_api import mailed_account

WRONG_LOGINS = "20 per 15 minutes"

STARTER: dict[str, list[tuple[str, Callable[[], str]]]] = {
    "starter.start_task": [("600 per minute", get_remote_address)],
    "starter.task_status": [("6000 per minute", get_remote_address)],
    "starter.signup": [("60 per minute", get_remote_address), ("20 per hour", mailed_account)],
}
"""Limits of the open endpoints: per client address, and per recipient of mails."""


def _storage(settings: Settings) -> str:
    """Return the address of the storage for counts: the Redis server of the schedules."""
    address = settings.redis_url
    return (
        sentinels.read(address).for_limits(settings.redis_master)
        if sentinels.is_sentinel(address)
        else redis_address.read(address).for_limits
    )


def install(app: Flask, settings: Settings) -> None:
    """Limit the login per address and per account, and the open endpoints as in STARTER."""
    limiter = Limiter(
        get_remote_address,
        app=app,
        storage_uri=_storage(settings),
        storage_options={
            "socket_connect_timeout": 1,
            "socket_timeout": 2,
            "key_prefix": keys.LIMITS_PREFIX,
        },
        in_memory_fallback_enabled=True,
        strategy="fixed-window",
        headers_enabled=False,
    )
    login: Callable[..., Any] = app.view_functions["security.login"]
    for key in (get_remote_address, account_key):
        login = limiter.limit(
            WRONG_LOGINS, key_func=key, methods=["POST"], deduct_when=is_wrong_login
        )(login)
    app.view_functions["security.login"] = login
    for endpoint in STARTER.keys() & app.view_functions.keys():
        view: Callable[..., Any] = app.view_functions[endpoint]
        for limit, key in STARTER[endpoint]:
            view = limiter.limit(limit, key_func=key)(view)
        app.view_functions[endpoint] = view


def account_key() -> str:
    """Return a digest of the account named in a login, so that Redis stores no mail addresses."""
    name = request.form.get("email", "").strip().lower()
    return "account-" + hashlib.sha256(name.encode()).hexdigest()[:24]


def is_wrong_login(response: Response) -> bool:
    """Whether a login was refused; a successful login is a redirect."""
    return response.status_code in {200, 400}
