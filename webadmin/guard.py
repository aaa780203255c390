"""Roles and endpoints: an endpoint without a row in `LEAST_ROLE` is closed to everyone.

The table is enforced twice: before every request of the app, and again by `Guard`, the first class
in the MRO of every view, so that a view is closed however the registration went. Only roles are
decided here; missing records and stale edits are the views' matter.
"""

import logging
import re
from datetime import datetime
from typing import Any

from flask import Flask, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.urls import iri_to_uri

from scheduler.accounts.policy import Role
from scheduler.accounts.rights import Rights
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import Schedule
from webadmin.access import bearer, by_tag, fresh, outside, token_header
from webadmin.front.addresses import requested_address

log = logging.getLogger(__name__)

ANYONE = "anyone"
VIEWER = "viewer"
OPERATOR = "operator"
ADMIN = "admin"
RANKS = {ANYONE: 0, VIEWER: 1, OPERATOR: 2, ADMIN: 3}

LEAST_ROLE = {
    "static": ANYONE,
    "probes.healthz": ANYONE,
    "probes.readyz": ANYONE,
    "starter.start_task": ANYONE,
    "starter.task_status": ANYONE,
    "starter.signup": ANYONE,
    "security.login": ANYONE,
    "security.logout": VIEWER,
    "password_links.use": ANYONE,
    "single_sign_on.begin": ANYONE,
    "single_sign_on.back": ANYONE,
    "second_step.show": ANYONE,
    "passkey_login.begin": ANYONE,
    "passkey_login.finish": ANYONE,
    "preferences.save": ANYONE,
    "home.index": VIEWER,
    "home.health": VIEWER,
    "home.live": VIEWER,
    "runs.index": VIEWER,
    "runs.show": VIEWER,
    "runs.cancel": OPERATOR,
    "runs.rerun": OPERATOR,
    "jobs.index": VIEWER,
    "jobs.show": VIEWER,
    "jobs.forget": ADMIN,
    "reports.index": VIEWER,
    "reports.show": VIEWER,
    "reports.download": VIEWER,
    "changes.index": VIEWER,
    "dead_letters.index": VIEWER,
    "dead_letters.show": VIEWER,
    "dead_letters.retry": OPERATOR,
    "dead_letters.retry_all": OPERATOR,
    "dead_letters.drop": ADMIN,
    "dead_letters.drop_all": ADMIN,
    "calendars.index": VIEWER,
    "calendars.show": VIEWER,
    "calendars.create": OPERATOR,
    "calendars.edit": OPERATOR,
    "calendars.import_ics": OPERATOR,
    "calendars.delete": ADMIN,
    "users.index": ADMIN,
    "users.invite": ADMIN,
    "users.show": ADMIN,
    "users.set_role": ADMIN,
    "users.grant": ADMIN,
    "users.withdraw": ADMIN,
    "users.disable": ADMIN,
    "users.enable": ADMIN,
    "users.reset_password": ADMIN,
    "users.reset_second_factor": ADMIN,
    "users.sign_out": ADMIN,
    "tokens.index": ADMIN,
    "tokens.create": ADMIN,
    "tokens.revoke": ADMIN,
    "second_factor.index": VIEWER,
    "second_factor.set_up": VIEWER,
    "second_factor.confirm": VIEWER,
    "second_factor.remove": VIEWER,
    "second_factor.renew_codes": VIEWER,
    "second_factor.new_passkey": VIEWER,
    "second_factor.add_passkey": VIEWER,
    "second_factor.remove_passkey": VIEWER,
    "account.index": VIEWER,
    "account.whoami": VIEWER,
    "account.set_password": VIEWER,
    "account.set_zone": VIEWER,
    "account.end_session": VIEWER,
    "account.sign_out": VIEWER,
    "account.create_token": VIEWER,
    "account.revoke_token": VIEWER,
    "audit.index": ADMIN,
    "audit.export": ADMIN,
    "help.index": VIEWER,
    "help.page": VIEWER,
    "schedules.index": VIEWER,
    "schedules.show": VIEWER,
    "schedules.preview": VIEWER,
    "schedules.create": OPERATOR,
    "schedules.arguments": OPERATOR,
    "schedules.edit": OPERATOR,
    "schedules.clone": OPERATOR,
    "schedules.enable": OPERATOR,
    "schedules.disable": OPERATOR,
    "schedules.run": OPERATOR,
    "schedules.pause": OPERATOR,
    "schedules.resume": OPERATOR,
    "schedules.pause_all": OPERATOR,
    "schedules.resume_all": OPERATOR,
    "schedules.skip": OPERATOR,
    "schedules.keep": OPERATOR,
    "schedules.drop_waiting": OPERATOR,
    "schedules.move_waiting": OPERATOR,
    "schedules.backfill": OPERATOR,
    "schedules.revisions": VIEWER,
    "schedules.restore": OPERATOR,
    "schedules.reset": OPERATOR,
    "schedules.adopt": OPERATOR,
    "schedules.deleted": VIEWER,
    "schedules.revive": OPERATOR,
    "schedules.bulk_change": OPERATOR,
    "schedules.export": OPERATOR,
    "schedules.bulk_export": OPERATOR,
    "schedules.yaml": OPERATOR,
    "schedules.import_set": OPERATOR,
    "schedules.bulk": OPERATOR,
    "schedules.bulk_pause": OPERATOR,
    "schedules.delete": ADMIN,
    "schedules.bulk_delete": ADMIN,
}
"""The least role for each endpoint, for all HTTP methods.

`access.by_tag` names the endpoints that a role for a tag opens, `access.bearer` those that programs
call with a token, `access.fresh` those that ask for the password again.
"""

PAGE = re.compile(r"[1-9][0-9]{0,5}")
IDENTIFIER = re.compile(r"[A-Za-z0-9._:-]{1,200}")
LOCAL_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")


def install(app: Flask) -> None:
    """Check every request of the app with `admit`."""
    app.before_request(admit)


def least_role(endpoint: str | None) -> Any:
    """Return the least role for the endpoint; None for an endpoint without a row."""
    return LEAST_ROLE.get(endpoint or "")


def permits(endpoint: str | None, rights: Rights) -> bool:
    """Whether a role for everything opens the endpoint. False for an endpoint without a row."""
    least = least_role(endpoint)
    if least is None:
        return False
    return least == ANYONE or rights.covers(least)


def safe_path(target: str) -> bool:
    """Whether a redirect target stays on the console.

    Safe is a path with one leading slash, in printable ASCII, without backslashes and spaces.
    """
    return LOCAL_PATH.fullmatch(target) is not None


def actor() -> str:
    """Return the visitor's mail address, the actor in events and revisions."""
    return str(current_user.email)


def edit_by_visitor(*, now: datetime, comment: str = "") -> Edit:
    """Return an Edit by the logged-in user."""
    return Edit(actor=actor(), now=now, comment=comment, role=role_for_jobs())


def role_for_jobs() -> str:
    """Return the role by which jobs are judged: the one for everything, not one for a tag."""
    return "admin" if by_tag.current_rights().covers("admin") else "operator"


def may(endpoint: str, schedule: Schedule | None = None) -> bool:
    """Whether the user may call the endpoint; templates hide the links and buttons of the rest.

    `schedule` is the one that a button in a list is about.
    """
    rights = by_tag.current_rights()
    if permits(endpoint, rights):
        return True
    least = least_role(endpoint)
    return least is not None and by_tag.shows(endpoint, least, rights, schedule)


def admit() -> ResponseReturnValue | None:
    """Return None for a permitted request and a redirect to the login for an anonymous visitor.

    Aborts with 403 for a missing role or a closed endpoint, with 400 for a hostile parameter. A
    call with a token is answered in JSON.
    """
    if request.endpoint is None:
        return None
    least = least_role(request.endpoint)
    if least is None:
        log.warning("endpoint %s has no row in the table of rights and is closed", request.endpoint)
        abort(403)
    refuse_hostile_parameters()
    if least == ANYONE:
        return None
    g.least_role = least
    token = token_header.presented(request)
    if token is not None:
        return admit_program(request.endpoint, least, token)
    outside.recognise_by_proxy()
    if not current_user.is_authenticated:
        return redirect(url_for("security.login", next=come_back()))
    if not is_permitted(request.endpoint, least):
        abort(403, f"This needs the role {least}.")
    if fresh.needs_fresh_login(request.endpoint) and not (fresh.is_fresh() or fresh.confirmed()):
        return fresh.ask()
    return None


def admit_program(endpoint: str, least: Role, token: str) -> ResponseReturnValue | None:
    """Return None for a permitted call with a token, and a problem for another one."""
    refusal = bearer.recognise(token)
    if refusal is not None:
        return refusal
    if not bearer.is_accepted(endpoint):
        return token_header.problem(
            403, "This address takes no tokens", "Log in with a browser, or use another address."
        )
    if not is_permitted(endpoint, least):
        return token_header.problem(
            403, "The token may not do this", f"This needs the role {least}, as a wider scope."
        )
    return None


def is_permitted(endpoint: str, least: Role) -> bool:
    """Whether the caller's role for everything, or one for a tag, admits the request."""
    rights = by_tag.current_rights()
    return permits(endpoint, rights) or by_tag.admits(endpoint, least, rights)


def come_back() -> str | None:
    """Return the address to open after the login: the requested page of a GET request, or None."""
    target = iri_to_uri(requested_address())
    is_page = request.method == "GET" and target != f"{request.script_root}/"
    return target if is_page and safe_path(target) else None


def refuse_hostile_parameters() -> None:
    """Abort with 400 for NUL bytes, and for a malformed `page` or `id`."""
    path = {name: str(value) for name, value in (request.view_args or {}).items()}
    values = [*path.values(), *(v for _, v in request.args.items(multi=True)), *request.args.keys()]
    if request.method == "POST":
        values += [v for _, v in request.form.items(multi=True)]
    if any("\0" in value for value in values):
        abort(400, "The request has a NUL byte in it.")
    page = request.args.get("page")
    if page is not None and not PAGE.fullmatch(page):
        abort(400, f"page={page[:40]!r} is not a page number.")
    identifier = path.get("id", request.args.get("id"))
    if identifier is not None and not IDENTIFIER.fullmatch(identifier):
        abort(400, "id is not an identifier.")


class Guard:
    """The first class in the MRO of every Flask-Admin view; refuses by default."""

    endpoint: str
    _default_view: str

    def is_accessible(self) -> bool:
        """Whether the menu shows the view to the user."""
        return may(f"{self.endpoint}.{self._default_view}")

    def _handle_view(self, view: str, /, **kwargs: Any) -> ResponseReturnValue | None:
        return admit()

    def _run_view(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        # After a TypeError in a view, Flask-Admin calls the view again without arguments, and so
        # hides the error.
        return fn(self, *args, **kwargs)
