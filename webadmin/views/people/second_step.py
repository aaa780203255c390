"""The page between the password and the login, for accounts with a second factor."""

from flask import Blueprint, Flask, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security.utils import login_user

from scheduler.errors import Refused
from webadmin.forms.sentences import sentence
from webadmin.guard import safe_path
from webadmin.second_factor import step
from webadmin.services import passkeys, services

WRONG = "This code is wrong, or was used already. The app shows a new one every half minute."

page = Blueprint("second_step", __name__)


def install(app: Flask) -> None:
    """Register the page."""
    app.register_blueprint(page)


@page.route("/login/second-step", methods=["GET", "POST"])
def show() -> ResponseReturnValue:
    """GET asks for the code; POST judges the code, and logs in who waits for this step.

    Without a password given in the last ten minutes, the visitor is led to the login.
    """
    waiting = step.waiting()
    if waiting is None:
        return redirect(url_for("security.login"), 303)
    if request.method != "POST":
        return _page(waiting, None)
    try:
        holds = step.holds(waiting.user, request.form.get("code", ""))
    except Refused as error:
        return _page(waiting, sentence(str(error))), 422
    if not holds:
        return _page(waiting, WRONG), 422
    login_user(waiting.user, authn_via=["password"])
    return redirect(waiting.target if safe_path(waiting.target) else url_for("home.index"), 303)


def _page(waiting: step.Waiting, fault: str | None) -> str:
    state = services().second_factors.state(waiting.user.id)
    return render_template(
        "people/second_factor/step.html",
        email=waiting.user.email,
        has_app=state.authenticator_since is not None,
        has_passkey=bool(passkeys().of_account(waiting.user.id)),
        fault=fault,
    )
