"""Rates of the endpoints that anyone may call, by client address and by recipient of mails.

The counts are in Redis, shared by all web processes. During an outage of Redis each process counts
for itself.
"""

from collections.abc import Callable
from typing import Any

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from scheduler.settings.schema import Settings
from scheduler.storage import keys
from scheduler.storage.addresses import redis_address, sentinels
from webadmin.tutorial_api import mailed_account

STARTER: dict[str, list[tuple[str, Callable[[], str]]]] = {
    "starter.start_task": [("600 per minute", get_remote_address)],
    "starter.task_status": [("6000 per minute", get_remote_address)],
    "starter.signup": [("60 per minute", get_remote_address), ("20 per hour", mailed_account)],
}
"""Limits of the open endpoints: per client address, and per recipient of mails."""


def storage_address(settings: Settings) -> str:
    """Return the address of the storage for counts: the Redis server of the schedules."""
    address = settings.redis_url
    return (
        sentinels.read(address).for_limits(settings.redis_master)
        if sentinels.is_sentinel(address)
        else redis_address.read(address).for_limits
    )


def install(app: Flask, settings: Settings) -> None:
    """Limit the open endpoints as in STARTER."""
    limiter = Limiter(
        get_remote_address,
        app=app,
        storage_uri=storage_address(settings),
        storage_options={
            "socket_connect_timeout": 1,
            "socket_timeout": 2,
            "key_prefix": keys.LIMITS_PREFIX,
        },
        in_memory_fallback_enabled=True,
        strategy="fixed-window",
        headers_enabled=False,
    )
    for endpoint in STARTER.keys() & app.view_functions.keys():
        view: Callable[..., Any] = app.view_functions[endpoint]
        for limit, key in STARTER[endpoint]:
            view = limiter.limit(limit, key_func=key)(view)
        app.view_functions[endpoint] = view
