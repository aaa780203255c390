"""Calls with a token, `Authorization: Bearer bd_…`.

Such a call is the token's alone: cookies are neither read nor set, and no form's token is needed,
since a foreign page cannot make a browser send this header.
"""

from flask import Flask, Request, Response, g, jsonify, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask_login import UserMixin
from flask_wtf.csrf import CSRFProtect

from scheduler.accounts.rights import Rights
from scheduler.accounts.tokens import TokenHolder
from scheduler.clock import utc_now
from webadmin.access import rates
from webadmin.services import services

LONGEST = 200
"""Most characters of a token that are looked at; ours have 46."""

ACCEPTED = frozenset(
    {
        "account.whoami",
        "reports.download",
        "schedules.bulk_export",
        "schedules.export",
        "schedules.preview",
    }
)
"""Endpoints that programs call with a token; all others need a browser's login."""

PROBLEM_TYPE = "application/problem+json"


class Caller(UserMixin):  # type: ignore[misc] # flask-login has no types
    """The caller with a token, in the place of an account."""

    def __init__(self, holder: TokenHolder) -> None:
        self.holder = holder
        self.email = holder.actor
        self.roles: list[str] = []

    @property
    def rights(self) -> Rights:
        """The rights of the token."""
        return self.holder.rights

    def get_id(self) -> str:
        """Return the token's number; no session is made of it."""
        return f"token-{self.holder.facts.id}"


class Sessions(SecureCookieSessionInterface):
    """Sessions in the browser's cookie; calls with a token have none."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the cookie's session, or an empty one for a call with a token."""
        if presented(request) is not None:
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Set the cookie, but for a call with a token."""
        if presented(request) is None:
            super().save_session(app, session, response)


class FormProtection(CSRFProtect):  # type: ignore[misc] # flask-wtf has no types
    """The token of forms, which a call with a token of its own does not need."""

    def protect(self, apply_exemptions: bool = False) -> None:
        """Check the form's token. Aborts with 400 for a missing or foreign one."""
        if presented(request) is None:
            super().protect(apply_exemptions=apply_exemptions)


def presented(request: Request) -> str | None:
    """Return the text after `Bearer` of the header `Authorization`; None without such a header."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    return text.strip()[:LONGEST] if scheme.lower() == "bearer" else None


def is_accepted(endpoint: str | None) -> bool:
    """Whether the endpoint can be called with a token."""
    return endpoint in ACCEPTED


def recognise(text: str) -> Response | None:
    """Make the token's holder the caller of the request.

    Returns None, or the answer for a token that does not hold. Wrong tokens are counted like wrong
    logins; a valid token of another caller behind the same address still passes.
    """
    holder = services().tokens.holder(text, utc_now())
    if holder is not None:
        g._login_user = Caller(holder)
        return None
    if rates.is_exhausted(rates.TOKENS):
        return problem(429, "Too many wrong tokens", "Wait a quarter of an hour, then try again.")
    rates.count(rates.TOKENS)
    return problem(
        401,
        "This token does not hold",
        "It is unknown, expired or revoked; `beatdesk tokens list` shows which there are.",
    )


def problem(status: int, title: str, detail: str) -> Response:
    """Return an RFC 9457 answer for programs."""
    response = jsonify(type="about:blank", title=title, status=status, detail=detail)
    response.status_code = status
    response.content_type = PROBLEM_TYPE
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="beatdesk"'
    return response
