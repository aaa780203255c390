"""A login on its way through the gate: counted, judged, given back or spent."""

from collections.abc import Callable

from flask import after_this_request, current_app, request

from scheduler.clock import utc_now
from scheduler.events.access import LoginFailed
from webadmin.access.recording import record
from webadmin.limits.devices import known_device, remember_device
from webadmin.limits.login_gate import Attempt, Charge, LoginGate
from webadmin.limits.too_many import TooManyLogins
from webadmin.services import services


def judge_login(
    account: str,
    is_right: Callable[[], bool],
    reason: Callable[[], str],
    is_complete: Callable[[], bool],
) -> bool:
    """Whether a login's password is right, by `is_right`, called only if the gate permits.

    `reason` is called after a wrong login, `is_complete` after a right one: without a second step
    the device is remembered. An error of `is_right` costs nothing: no password was judged. Raises
    TooManyLogins.
    """
    charge = _charge(_gate().charge, account)
    return _judge(charge, account, is_right, reason, is_complete)


def judge_code(account: str, is_right: Callable[[], bool]) -> bool:
    """Whether the code of a second step is right, by `is_right`. Raises TooManyLogins."""
    charge = _charge(_gate().charge_code, account)
    return _judge(charge, account, is_right, lambda: "wrong_code", lambda: True)


def _judge(
    charge: Charge,
    account: str,
    is_right: Callable[[], bool],
    reason: Callable[[], str],
    is_complete: Callable[[], bool],
) -> bool:
    try:
        right = is_right()
    except Exception:
        charge.give_back()
        raise
    if not right:
        charge.spend()
        record(LoginFailed, actor="", subject=account, detail=reason())
        return False
    charge.give_back()
    if is_complete():
        after_this_request(lambda response: remember_device(response, account))
    return True


def _gate() -> LoginGate:
    gate: LoginGate = current_app.extensions["login_gate"]
    return gate


def _charge(charge: Callable[[Attempt], Charge], account: str) -> Charge:
    """The charge of an attempt by this request; a refusal is logged. Raises TooManyLogins."""
    attempt = Attempt(account, request.remote_addr or "", known_device(account))
    try:
        return charge(attempt)
    except TooManyLogins as refusal:
        services().access_log.refuse(
            at=utc_now(), subject=attempt.account, address=attempt.address, reason=refusal.reason
        )
        raise
