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
from flask_security.utils import login_user

from scheduler.clock import utc_now
from scheduler.errors import Refused
from webadmin.access import rates
from webadmin.forms.sentences import sentence
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
    challenge = challenges.make()
    options = passkeys().request_options(
        site, challenge, None if waiting is None else waiting.user.id
    )
    challenges.remember("login", challenge)
    return current_app.response_class(options, mimetype="application/json")


@login.post("/login/passkey")
def finish() -> ResponseReturnValue:
    """Log in whose passkey has signed the challenge."""
    rates.refuse_excess(rates.PASSKEYS)
    site = _site()
    waiting = step.waiting()
    made = challenges.take("login")
    if made is None:
        return _again("The passkey came too late, or twice.")
    try:
        email = passkeys().use(
            request.form.get("answer", ""),
            site=site,
            challenge=made.challenge,
            now=utc_now(),
            user_id=None if waiting is None else waiting.user.id,
        )
    except Refused as error:
        rates.count(rates.PASSKEYS)
        return _again(sentence(str(error)))
    target = request.form.get("next", "") if waiting is None else waiting.target
    datastore = current_app.extensions["security"].datastore
    login_user(datastore.find_user(email=email), authn_via=[METHOD])
    after_this_request(lambda response: remember_device(response, email))
    return redirect(target if safe_path(target) else "/", 303)


def _site() -> challenges.Site:
    """The site of the request. Aborts with 403 where passwords are off, with 400 without a name."""
    if not services().settings.local_login:
        abort(403, "Passkeys are switched off here, with passwords (BEATDESK_LOCAL_LOGIN).")
    site = challenges.site()
    if site is None:
        abort(400, "Passkeys need a host with a name; browsers refuse them for a bare address.")
    return site


def _again(fault: str) -> ResponseReturnValue:
    """Show the fault where the visitor came from."""
    flash(fault, "error")
    endpoint = "security.login" if step.waiting() is None else "second_step.show"
    return redirect(url_for(endpoint), 303)
