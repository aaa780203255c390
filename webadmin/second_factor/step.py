"""The second step of a login by password: who waits for it, and whether a code holds.

Between the steps, the signed cookie names the account's uniquifier, and so ends with whatever ends
the account's sessions. People whom a provider or a proxy logs in, and tokens, have no second step
here: the provider asks for one.
"""

from typing import Any, NamedTuple

from flask import Flask, current_app, g, jsonify, redirect, request, url_for
from flask import session as cookie
from flask_security.tf_plugin import TfPlugin
from werkzeug.wrappers import Response

from scheduler.accounts.codes import LONGEST
from scheduler.clock import utc_now
from scheduler.errors import Refused
from scheduler.events.access import RecoveryCodeUsed
from webadmin.access import rates
from webadmin.access.recording import record
from webadmin.limits.login import judge_code
from webadmin.second_factor import challenges
from webadmin.services import passkeys, services

_NAME = "second_step"
_NEEDED = "This account has a second factor: send its code, or a recovery code, as code."
_WRONG = "The code is wrong, or was used already."


class Waiting(NamedTuple):
    """Somebody who gave the right password; `target` is the page that anybody may have named to
    open after the login.
    """

    user: Any
    target: str


class SecondStep(TfPlugin):
    """What Flask-Security's login calls between the right password and the login."""

    def tf_enter(
        self, user: Any, remember_me: bool | None, primary_authn_via: str, next_loc: str | None
    ) -> Any:
        """Return the answer that asks for the second step; None for a login that needs none.

        A login by JSON brings the code with the password.
        """
        if not services().second_factors.is_protected(user.id):
            return None
        if request.is_json:
            return _judge_json(user)
        cookie[_NAME] = {
            "user": user.fs_uniquifier,
            "at": utc_now().timestamp(),
            "next": request.form.get("next") or request.args.get("next") or "",
        }
        return redirect(url_for("second_step.show"), 303)


class OwnProofs:
    """What a logged-in person can prove again, for fresh logins."""

    def holds_code(self, user: Any, code: str) -> bool:
        """Whether a code is right and unused. Raises TooManyLogins and Refused."""
        return holds(user, code)

    def holds_passkey(self, user: Any, answer: str) -> bool:
        """Whether a passkey of the account has signed the challenge of this browser."""
        return signed_by(answer, user.id) is not None


def install(app: Flask) -> None:
    """Let the login ask for the second step, and fresh logins for a code."""
    app.extensions["security"].two_factor_plugins = SecondStep()
    app.extensions["second_factor"] = OwnProofs()


def waiting() -> Waiting | None:
    """Return who waits for the second step in this browser; None after ten minutes."""
    state = cookie.get(_NAME)
    if not isinstance(state, dict) or not challenges.is_recent(state):
        return None
    datastore = current_app.extensions["security"].datastore
    user = datastore.find_user(fs_uniquifier=str(state["user"]))
    return Waiting(user, str(state["next"])) if user is not None and user.active else None


def holds(user: Any, code: str) -> bool:
    """Whether a code of the account holds; it is used up then. Raises TooManyLogins and Refused.

    What cannot be a code by its length is neither counted nor judged.
    """
    if not 0 < len(code) <= LONGEST:
        return False
    return judge_code(user.email, lambda: _use(user, code))


def signed_by(answer: str, user_id: int | None) -> str | None:
    """Return the address of the account whose passkey has signed the challenge of this browser.

    With `user_id` only a passkey of this account holds. None for an answer that does not hold,
    which is counted. Aborts with 429 after too many.
    """
    rates.refuse_excess(rates.PASSKEYS)
    place, made = challenges.site(), challenges.take("login")
    if place is None or made is None:
        return None
    try:
        return passkeys().use(
            answer, site=place, challenge=made.challenge, now=utc_now(), user_id=user_id
        )
    except Refused:
        rates.count(rates.PASSKEYS)
        return None


def proofs() -> list[str]:
    """Return what the login of this request has shown in its second step, for the access log."""
    proof = g.get("second_step")
    return [] if proof is None else [str(proof)]


def _use(user: Any, code: str) -> bool:
    factors = services().second_factors
    proof = factors.use_code(user.id, code, now=utc_now())
    if proof == "recovery code":
        left = factors.state(user.id).recovery_codes
        record(RecoveryCodeUsed, actor=user.email, subject=user.email, detail=f"{left} left")
    g.second_step = proof
    return proof is not None


def _judge_json(user: Any) -> Response | None:
    """Return None for the right code in the JSON, and a refusal in the shape of a wrong login."""
    values = request.get_json()
    code = values.get("code") if isinstance(values, dict) else None
    if isinstance(code, str) and holds(user, code):
        return None
    text = _WRONG if code else _NEEDED
    errors = {"errors": [text], "field_errors": {"code": [text]}}
    answer = jsonify(meta={"code": 400}, response=errors)
    answer.status_code = 400
    return answer
