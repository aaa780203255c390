"""Fresh logins: what gives rights away asks for the password again, unless it was just typed.

The page that asks repeats the sent form, so that nothing typed is lost: the same request comes
again with the password beside it.
"""

from contextlib import AbstractContextManager
from typing import Any, Protocol

from flask import current_app, render_template, request
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_login import current_user

from scheduler.clock import utc_now
from webadmin.access import rates
from webadmin.front.addresses import requested_address
from webadmin.services import passkeys, services

FRESH_SECONDS = 30 * 60
PASSWORD_FIELD = "confirm_password"  # noqa: S105 - the name of a form's field

CODE_FIELD = "confirm_code"
PASSKEY_FIELD = "confirm_passkey"
OWN_FIELDS = frozenset({PASSWORD_FIELD, CODE_FIELD, PASSKEY_FIELD, "csrf_token"})

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


class Proofs(Protocol):
    """What the second factors of an account can prove; `webadmin.second_factor` has them."""

    def holds_code(self, user: Any, code: str) -> bool:
        """Whether a code is right and unused. Raises TooManyLogins and Refused."""

    def holds_passkey(self, user: Any, answer: str) -> bool:
        """Whether a passkey of the account has signed the challenge of this browser."""


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
    one, or a passkey's answer alone; the session is fresh then.
    """
    if not (_is_passkey_right() or _is_password_right()):
        return False
    mark_fresh()
    return True


def _is_password_right() -> bool:
    password = request.form.get(PASSWORD_FIELD, "")
    if not password or not is_own_password(password):
        return False
    return not needs_code() or _proofs().holds_code(current_user, request.form.get(CODE_FIELD, ""))


def _is_passkey_right() -> bool:
    answer = request.form.get(PASSKEY_FIELD, "")
    return bool(answer) and _proofs().holds_passkey(current_user, answer)


def needs_code() -> bool:
    """Whether the caller's password is not enough, since the account has a second factor."""
    return services().second_factors.is_protected(current_user.id)


def _proofs() -> Proofs:
    proofs: Proofs = current_app.extensions["second_factor"]
    return proofs


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
        (name, value) for name, value in request.form.items(multi=True) if name not in OWN_FIELDS
    ]
    page = render_template(
        "people/confirm.html",
        repeated=repeated,
        is_wrong=bool(request.form.get(PASSWORD_FIELD) or request.form.get(PASSKEY_FIELD)),
        needs_code=needs_code(),
        has_passkey=bool(passkeys().of_account(current_user.id)),
        target=requested_address(),
    )
    return page, 403
