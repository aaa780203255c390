"""Display preferences: light or dark, local time or UTC. Two cookies without other content.

With JavaScript the page changes at once and writes the same cookies; without JavaScript a form
does.
"""

from flask import Blueprint, Flask, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue

from webadmin.guard import safe_path

CHOICES = {"theme": ("auto", "light", "dark"), "zone": ("local", "utc")}
YEAR = 365 * 24 * 3600

preferences = Blueprint("preferences", __name__)


def install(app: Flask) -> None:
    """Register the form's handler."""
    app.register_blueprint(preferences)


def chosen(name: str) -> str:
    """Return the visitor's choice; the first value of CHOICES by default."""
    value = request.cookies.get(f"beatdesk_{name}", "")
    return value if value in CHOICES[name] else CHOICES[name][0]


@preferences.post("/preferences")
def save() -> ResponseReturnValue:
    """Store the valid choices in cookies and redirect to the page."""
    target = request.form.get("next", "")
    response = redirect(target if safe_path(target) else url_for("home.index"), 303)
    for name, values in CHOICES.items():
        value = request.form.get(name)
        if value in values:
            response.set_cookie(
                f"beatdesk_{name}",
                value,
                max_age=YEAR,
                samesite="Lax",
                secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
            )
    return response
