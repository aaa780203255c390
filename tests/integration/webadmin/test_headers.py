"""The headers on every answer, as a snapshot."""

import re
from collections.abc import Callable

import pytest
from flask import Flask

from tests.support.webadmin.addresses import calls
from tests.support.webadmin.visitor import Visitor

EXPECTED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self' 'nonce-…'; style-src 'self' 'nonce-…'; img-src "
        "'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors "
        "'none'; base-uri 'none'; object-src 'none'"
    ),
}


@pytest.mark.parametrize("role", ["viewer", "admin"])
def test_every_answer_has_the_headers(
    app: Flask, logged_in: Callable[[str], Visitor], role: str
) -> None:
    someone = logged_in(role)
    paths = {"/nothing", *(call.path for call in calls(app) if call.method == "GET")}
    answers = {path: headers_of(someone, path) for path in paths}
    assert {path: headers for path, headers in answers.items() if headers != EXPECTED} == {}
    assert {"/", "/login", "/healthz", "/readyz", "/static/app/desk.css", "/users/"} <= paths


def headers_of(someone: Visitor, path: str) -> dict[str, str | None]:
    """Those of the headers that are expected, the nonce taken out."""
    headers = dict(someone.get(path).headers)
    policy = headers.get("Content-Security-Policy", "")
    headers["Content-Security-Policy"] = re.sub(r"nonce-[\w-]{20,}", "nonce-…", policy)
    return {name: headers.get(name) for name in EXPECTED}


def test_the_nonce_is_another_one_each_time(viewer: Visitor) -> None:
    nonces = {
        re.findall(r"nonce-([\w-]+)", viewer.get("/").headers["Content-Security-Policy"])[0]
        for _ in range(5)
    }
    assert len(nonces) == 5


def test_pages_are_not_kept_and_files_are(viewer: Visitor) -> None:
    page = viewer.get("/")
    assert page.headers["Cache-Control"] == "no-store"
    address = re.findall(r'href="(/static/app/desk\.css\?v=\w+)"', page.text)[0]
    assert "max-age=31536000" in viewer.get(address).headers["Cache-Control"]


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(visitor: Visitor) -> None:
    cookie = visitor.get("/login").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_production_sends_cookies_over_https_only(app: Flask) -> None:
    from webadmin import create_app

    settings = app.extensions["services"].settings.model_copy(
        update={"environment": "production", "allowed_hosts": ("localhost",)}
    )
    cookie = create_app(settings).test_client().get("/login").headers["Set-Cookie"]
    assert "Secure" in cookie
