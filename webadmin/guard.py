"""Who may call what. An endpoint without a row in `LEAST_ROLE` is closed to everyone.

The table is enforced twice: before every request of the app, and again by `Guard`, which stands
first in the MRO of every view, so that a view is closed however it was registered. It decides on
roles only; whether a thing exists or an edit is stale is the views' matter.
"""

import logging
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from flask import Flask, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.urls import iri_to_uri

from scheduler.rules.model.edit import Edit

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
"""Endpoint -> the least role that may call it, by any method."""

PAGE = re.compile(r"[1-9][0-9]{0,5}")
IDENTIFIER = re.compile(r"[A-Za-z0-9._:-]{1,200}")
LOCAL_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")


def install(app: Flask) -> None:
    """Stand before every request of the app."""
    app.before_request(admit)


def least_role(endpoint: str | None) -> str | None:
    """The least role that may call the endpoint; none where nobody has said so."""
    return LEAST_ROLE.get(endpoint or "")


def permits(endpoint: str | None, roles: Iterable[str]) -> bool:
    """Whether someone with these roles may call the endpoint. Closed unless the table opens it."""
    least = least_role(endpoint)
    if least is None:
        return False
    return RANKS[least] <= max((RANKS.get(role, 0) for role in roles), default=0)


def safe_path(target: str) -> bool:
    """Whether a redirect to the target stays here: a path, one slash, no backslash, no white space,
    plain ASCII.
    """
    return LOCAL_PATH.fullmatch(target) is not None


def roles_of(user: Any) -> list[str]:
    """The names of the user's roles; none for visitors."""
    return [role.name for role in user.roles] if user.is_authenticated else []


def actor() -> str:
    """Who does what this request does, as events and revisions name them."""
    return str(current_user.email)


def edit_by_visitor(*, now: datetime, comment: str = "") -> Edit:
    """The edit of whoever is logged in."""
    return Edit(actor=actor(), now=now, comment=comment)


def may(endpoint: str) -> bool:
    """Whether the user of this request may call the endpoint, so that no page offers what would be
    refused.
    """
    return permits(endpoint, roles_of(current_user))


def admit() -> ResponseReturnValue | None:
    """Let the request pass (none), send it to the login, or refuse it."""
    if request.endpoint is None:
        return None
    least = least_role(request.endpoint)
    if least is None:
        log.warning("endpoint %s has no row in the table of rights and is closed", request.endpoint)
        abort(403)
    refuse_hostile_parameters()
    if least == ANYONE:
        return None
    if not current_user.is_authenticated:
        return redirect(url_for("security.login", next=come_back()))
    if not permits(request.endpoint, roles_of(current_user)):
        abort(403, f"This needs the role {least}.")
    return None


def come_back() -> str | None:
    """Where to go after the login: the page that was asked for, where asking again is harmless."""
    target = iri_to_uri(request.full_path.removesuffix("?"))
    return target if request.method == "GET" and target != "/" and safe_path(target) else None


def refuse_hostile_parameters() -> None:
    """Refuse what no page can mean: NUL bytes anywhere, a `page` or an `id` of the wrong shape."""
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
    """Stands first in the MRO of every Flask-Admin view; refuses by default."""

    endpoint: str
    _default_view: str

    def is_accessible(self) -> bool:
        """Whether the menu shows the view to this user."""
        return may(f"{self.endpoint}.{self._default_view}")

    def _handle_view(self, view: str, /, **kwargs: Any) -> ResponseReturnValue | None:
        return admit()

    def _run_view(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        # Flask-Admin calls the view a second time, without arguments, when it raises TypeError.
        # That hides the error.
        return fn(self, *args, **kwargs)
