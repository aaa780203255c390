"""The login by passkey: in the place of the password, or as its second step."""

from flask import (
    Blueprint,
    Flask,
    abort,
    after_this_request,
    current_app,
    flash,
    redirect,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_security.utils import login_user

from scheduler.accounts.passkeys import Site
from webadmin.guard import safe_path
from webadmin.limits.devices import remember_device
from webadmin.second_factor import challenges, step
from webadmin.services import passkeys, services

login = Blueprint("passkey_login", __name__)

METHOD = "passkey"


def install(app: Flask) -> None:
    """Register the login by passkey, and tell templates whether the address has passkeys."""
    app.register_blueprint(login)
    app.jinja_env.globals.update(has_passkeys=lambda: challenges.site() is not None)


@login.post("/login/passkey/begin")
def begin() -> ResponseReturnValue:
    """Answer what the browser needs to use a passkey, in JSON."""
    site = _site()
    waiting = step.waiting()
    user = current_user if waiting is None else waiting.user
    challenge = challenges.make()
    options = passkeys().request_options(
        site, challenge, user.id if user.is_authenticated else None
    )
    challenges.remember("login", challenge)
    return current_app.response_class(options, mimetype="application/json")


@login.post("/login/passkey")
def finish() -> ResponseReturnValue:
    """Log in whose passkey has signed the challenge."""
    _site()
    waiting = step.waiting()
    user_id = None if waiting is None else waiting.user.id
    email = step.signed_by(request.form.get("answer", ""), user_id)
    if email is None:
        return _again()
    target = request.form.get("next", "") if waiting is None else waiting.target
    datastore = current_app.extensions["security"].datastore
    login_user(datastore.find_user(email=email), authn_via=[METHOD])
    after_this_request(lambda response: remember_device(response, email))
    return redirect(target if safe_path(target) else url_for("home.index"), 303)


def _site() -> Site:
    """The site of the request. Aborts with 403 where passwords are off, with 400 without a name."""
    if not services().settings.local_login:
        abort(403, "Passkeys are switched off here, with passwords (BEATDESK_LOCAL_LOGIN).")
    site = challenges.site()
    if site is None:
        abort(400, "Passkeys need a host with a name; browsers refuse them for a bare address.")
    return site


def _again() -> ResponseReturnValue:
    """Show the fault where the visitor came from."""
    flash(
        "This passkey does not hold here: it was removed, belongs to another account or host, or "
        "came too late.",
        "error",
    )
    endpoint = "security.login" if step.waiting() is None else "second_step.show"
    return redirect(url_for(endpoint), 303)
