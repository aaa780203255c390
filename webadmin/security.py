"""Cookies and the headers on every answer.

The policy has no `unsafe-inline`: pages have no inline handlers, no `style` attributes and no
inline scripts. No page may loosen the policy; a page with foreign HTML (a report) tightens the
policy instead, see `sandbox`.
"""

import secrets

from flask import Flask, Response, g, request

from scheduler.settings.schema import Settings
from webadmin.access.token_header import FormProtection, Sessions

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

SANDBOX = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors "
    "'none'; form-action 'none'; base-uri 'none'"
)
"""The policy of a file written by a job: free styling, no scripts, no requests."""

csrf = FormProtection()


def install(app: Flask, settings: Settings) -> None:
    """Set the configuration, CSRF protection and headers for every request."""
    production = settings.environment == "production"
    app.config.update(
        SECRET_KEY=settings.secret_key or secrets.token_hex(32),
        SESSION_COOKIE_NAME=cookie_name("beatdesk", settings),
        SESSION_COOKIE_PATH=settings.path_prefix or "/",
        REMEMBER_COOKIE_NAME=cookie_name("beatdesk_remember", settings),
        REMEMBER_COOKIE_PATH=settings.path_prefix or "/",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=production,
        PERMANENT_SESSION_LIFETIME=12 * 3600,
        SEND_FILE_MAX_AGE_DEFAULT=365 * 24 * 3600,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=production,
        TEMPLATES_AUTO_RELOAD=False,
    )
    app.session_interface = Sessions()
    csrf.init_app(app)
    app.after_request(add_headers)


def cookie_name(name: str, settings: Settings) -> str:
    """Return the name of a cookie with the strictest prefix that browsers hold here.

    `__Host-`: set by this very host over HTTPS, for all of its paths. `__Secure-`, under a path
    prefix: set over HTTPS. None in development, which is served over HTTP.
    """
    if settings.environment != "production":
        return name
    return f"__Secure-{name}" if settings.path_prefix else f"__Host-{name}"


def csp_nonce() -> str:
    """Return the request's nonce, required on each script and style element of the page."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def content_policy(nonce: str) -> str:
    """Return the content security policy of the console's own pages."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce}'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "object-src 'none'",
        )
    )


def add_headers(response: Response) -> Response:
    """Add the security headers; a stricter policy of the response is preserved."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", content_policy(csp_nonce()))
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    elif "v" not in request.args:  # without a digest, the file may change with the next release
        response.headers["Cache-Control"] = "max-age=3600"
    return response


def sandbox(response: Response) -> Response:
    """Mark a response as a foreign document: the browser allows no scripts, forms or requests."""
    response.headers["Content-Security-Policy"] = SANDBOX
    return response
