"""The header of a call with a token, `Authorization: Bearer bd_…`, and the answers to such a call.

Such a call is the token's alone: cookies are neither read nor set, and no form's token is needed,
since a foreign page cannot make a browser send this header.
"""

from flask import Flask, Request, Response, jsonify, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask_wtf.csrf import CSRFProtect

LONGEST = 200
"""Most characters of a token that are looked at; ours have 46."""

PROBLEM_TYPE = "application/problem+json"


def presented(request: Request) -> str | None:
    """Return the text after `Bearer` of the header `Authorization`; None without such a header."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    return text.strip()[:LONGEST] if scheme.lower() == "bearer" else None


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


def problem(status: int, title: str, detail: str) -> Response:
    """Return an RFC 9457 answer for programs."""
    response = jsonify(type="about:blank", title=title, status=status, detail=detail)
    response.status_code = status
    response.content_type = PROBLEM_TYPE
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="beatdesk"'
    return response
