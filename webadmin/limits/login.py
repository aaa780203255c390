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


def judge_login(account: str, is_right: Callable[[], bool], reason: Callable[[], str]) -> bool:
    """Whether a login is right, by `is_right`, which is called only if the gate permits.

    `reason` is called after a wrong login. An error of `is_right` costs nothing: no password was
    judged. Raises TooManyLogins.
    """
    gate: LoginGate = current_app.extensions["login_gate"]
    attempt = Attempt(account, request.remote_addr or "", known_device(account))
    charge = _charge(gate, attempt)
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
    after_this_request(lambda response: remember_device(response, account))
    return True


def _charge(gate: LoginGate, attempt: Attempt) -> Charge:
    """The charge of an attempt; a refusal is logged. Raises TooManyLogins."""
    try:
        return gate.charge(attempt)
    except TooManyLogins as refusal:
        services().access_log.refuse(
            at=utc_now(), subject=attempt.account, address=attempt.address, reason=refusal.reason
        )
        raise
