"""The device cookie: from this browser an account has logged in before.

Wrong logins of others do not delay a known device (`login_gate`). The cookie is signed, holds an
identifier of the device and digests of its accounts, and is no login: it only tells whose attempts
are counted together. It ends after `LONGEST` seconds, and with the secret key.
"""

import secrets
from typing import Any

from flask import Flask, Request, Response, current_app, request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from webadmin.counting.names import short_digest

LONGEST = 180 * 24 * 3600
MOST_ACCOUNTS = 5
_LONGEST_COOKIE = 1000


def known_device(account: str) -> str | None:
    """Return the identifier of the request's device, if the account has logged in from it."""
    device = _read(request)
    return device["id"] if device is not None and short_digest(account) in device["of"] else None


def remember_device(response: Response, account: str) -> Response:
    """Set the cookie of a device from which the account has just logged in."""
    device = _read(request) or {"id": secrets.token_hex(16), "of": []}
    others = [digest for digest in device["of"] if digest != short_digest(account)]
    device["of"] = [short_digest(account), *others][:MOST_ACCOUNTS]
    config = current_app.config
    response.set_cookie(
        cookie_name(current_app),
        _serializer(current_app).dumps(device),
        max_age=LONGEST,
        path=config["SESSION_COOKIE_PATH"] or "/",
        secure=config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )
    return response


def cookie_name(app: Flask) -> str:
    """Return the cookie's name, with the prefix of the session's cookie."""
    return f"{app.config['SESSION_COOKIE_NAME']}_device"


def _read(request: Request) -> dict[str, Any] | None:
    text = request.cookies.get(cookie_name(current_app), "")
    if not 0 < len(text) <= _LONGEST_COOKIE:
        return None
    try:
        device: dict[str, Any] = _serializer(current_app).loads(text, max_age=LONGEST)
    except BadSignature:
        return None
    return device


def _serializer(app: Flask) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(app.config["SECRET_KEY"], salt="beatdesk device")
