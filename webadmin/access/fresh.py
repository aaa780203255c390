"""Fresh logins: what gives rights away asks for the password again, unless it was just typed.

The page that asks repeats the sent form, so that nothing typed is lost: the same request comes
again with the password beside it.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager

from flask import current_app, render_template, request
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_login import current_user

from scheduler.clock import utc_now
from webadmin.access import rates
from webadmin.front.addresses import requested_address
from webadmin.services import services

FRESH_SECONDS = 30 * 60
PASSWORD_FIELD = "confirm_password"  # noqa: S105 - the name of a form's field

CODE_FIELD = "confirm_code"

FRESH = frozenset(
    {
        "account.create_token",
        "second_factor.set_up",
        "second_factor.confirm",
        "second_factor.remove",
        "second_factor.renew_codes",
        "second_factor.new_passkey",
        "second_factor.add_passkey",
        "second_factor.remove_passkey",
        "tokens.create",
        "users.invite",
        "users.set_role",
        "users.grant",
        "users.withdraw",
        "users.enable",
        "users.reset_password",
        "users.reset_second_factor",
    }
)
"""Endpoints whose POST needs a fresh login."""

FRESH_WITH_ARGUMENTS = frozenset({"schedules.run", "runs.rerun"})
"""Endpoints whose POST needs a fresh login where it brings arguments of its own."""


def needs_fresh_login(endpoint: str | None) -> bool:
    """Whether the request needs a fresh login."""
    if request.method != "POST":
        return False
    if endpoint in FRESH:
        return True
    return endpoint in FRESH_WITH_ARGUMENTS and "kwargs" in request.form


def mark_fresh() -> None:
    """Note in the session that the caller has just proved who he is."""
    cookie["fresh_at"] = utc_now().timestamp()


def mark_fresh_at(seconds: int) -> None:
    """Note in the session when the caller has proved who he is elsewhere, in Unix seconds."""
    cookie["fresh_at"] = min(float(seconds), utc_now().timestamp())


def is_fresh() -> bool:
    """Whether the caller has proved who he is within `FRESH_SECONDS`."""
    fresh_at = cookie.get("fresh_at")
    age = utc_now().timestamp() - fresh_at if isinstance(fresh_at, float) else None
    return age is not None and -60 <= age <= FRESH_SECONDS


def confirmed() -> bool:
    """Whether the request brings the caller's password, and a code of the second factor if there is
    one; the session is fresh then.
    """
    password = request.form.get(PASSWORD_FIELD, "")
    if not password or not is_own_password(password):
        return False
    if needs_code() and not _holds_code(request.form.get(CODE_FIELD, "")):
        return False
    mark_fresh()
    return True


def needs_code() -> bool:
    """Whether the caller's password is not enough, since the account has a second factor."""
    return services().second_factors.is_protected(current_user.id)


def _holds_code(code: str) -> bool:
    holds: Callable[[object, str], bool] = current_app.extensions["second_step"]
    return holds(current_user, code)


def is_own_password(password: str) -> bool:
    """Whether the password is the caller's. Aborts with 429 after too many wrong ones."""
    if not services().settings.local_login:
        return False
    who = current_user.email
    rates.refuse_excess(rates.PASSWORDS, who)
    with hash_slot():
        is_right = services().accounts.has_password(who, password)
    if not is_right:
        rates.count(rates.PASSWORDS, who)
    return is_right


def hash_slot() -> AbstractContextManager[None]:
    """Return a slot for one hash of a password: entering it waits, or aborts with 429."""
    slot: AbstractContextManager[None] = current_app.extensions["hash_slots"].slot()
    return slot


def ask() -> ResponseReturnValue:
    """Return the page that asks for the password and repeats the form."""
    repeated = [
        (name, value)
        for name, value in request.form.items(multi=True)
        if name not in {PASSWORD_FIELD, CODE_FIELD, "csrf_token"}
    ]
    page = render_template(
        "people/confirm.html",
        repeated=repeated,
        is_wrong=bool(request.form.get(PASSWORD_FIELD)),
        needs_code=needs_code(),
        target=requested_address(),
    )
    return page, 403
