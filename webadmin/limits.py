"""Wrong logins, counted per address and per account.

The counts are in Redis, so that all web processes share them; while Redis is away each process counts for itself, and
nobody is locked out by an outage. Right logins cost nothing.
"""

import hashlib
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from config.schema import Settings
from scheduler import keys

WRONG_LOGINS = "20 per 15 minutes"


def install(app: Flask, settings: Settings) -> None:
    """Put both limits on the login."""
    limiter = Limiter(
        get_remote_address,
        app=app,
        storage_uri=settings.redis_url,
        storage_options={"socket_connect_timeout": 1, "socket_timeout": 2, "key_prefix": keys.LIMITS_PREFIX},
        in_memory_fallback_enabled=True,
        strategy="fixed-window",
        headers_enabled=False,
    )
    login: Callable[..., Any] = app.view_functions["security.login"]
    for key in (get_remote_address, account_key):
        login = limiter.limit(WRONG_LOGINS, key_func=key, methods=["POST"], deduct_when=is_wrong_login)(login)
    app.view_functions["security.login"] = login


def account_key() -> str:
    """The account that a login names, as a digest: Redis learns no addresses of people."""
    name = request.form.get("email", "").strip().lower()
    return "account-" + hashlib.sha256(name.encode()).hexdigest()[:24]


def is_wrong_login(response: Response) -> bool:
    """Whether the answer to a login was a refusal. A right one redirects."""
    return response.status_code in {200, 400}
