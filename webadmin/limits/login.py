"""A login on its way through the gate: counted, judged, given back or spent."""

from collections.abc import Callable

from flask import after_this_request, current_app, request

from webadmin.limits.devices import known_device, remember_device
from webadmin.limits.login_gate import Attempt, LoginGate


def judge_login(account: str, is_right: Callable[[], bool], reason: Callable[[], str]) -> bool:
    """Whether a login is right, by `is_right`, which is called only if the gate permits.

    `reason` is called after a wrong login. An error of `is_right` costs nothing: no password was
    judged. Raises TooManyLogins.
    """
    gate: LoginGate = current_app.extensions["login_gate"]
    attempt = Attempt(account, request.remote_addr or "", known_device(account))
    charge = gate.charge(attempt)
    try:
        right = is_right()
    except Exception:
        charge.give_back()
        raise
    if not right:
        charge.spend()
        return False
    charge.give_back()
    after_this_request(lambda response: remember_device(response, account))
    return True
