"""Error pages: every refusal and every outage in one look, with the reason and the remedy.

Internals of an error are logged and never shown. The page about an outage of SQL runs no query, not
even for the visitor's account.
"""

import logging

from flask import Flask, current_app, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from scheduler.errors import (
    BeatdeskError,
    NotFound,
    Refused,
    StaleRevision,
    Unavailable,
    UnreadableEntry,
)
from scheduler.history import database_use, outage
from webadmin.access import token_header
from webadmin.budgets.middleware import is_late
from webadmin.refusals import is_outage, outage_words

log = logging.getLogger(__name__)

TITLES = {
    400: ("This request cannot be understood", "Go back, look at what was typed, and try again."),
    403: ("You may not do this", "Ask an administrator for the role that is needed."),
    404: (
        "There is nothing here",
        "It may have been deleted or renamed. The lists show what there is.",
    ),
    405: ("This address works differently", "Use the page's own buttons."),
    409: ("It has been changed in the meantime", "Load the page again to see what is stored now."),
    413: ("This is too large", "Send less at a time; no form holds more than a megabyte."),
    429: ("Too many wrong logins", "Wait a quarter of an hour, then try again."),
    500: (
        "This should not have happened",
        "The error is in the web process's log. `beatdesk doctor` checks the rest.",
    ),
    503: ("A server does not answer", "`beatdesk doctor` says which, and what to do."),
}

RETRY_AFTER = "5"
"""Seconds until another try, in the header of a page about an outage."""

REDIS_AWAY = (
    "Redis does not answer",
    "Schedules cannot be read or changed until it is back. Runs that were recorded can still be "
    "read under Runs.",
    "See that the server named by BEATDESK_REDIS_URL runs; `beatdesk doctor` checks it. Nothing "
    "needs to be restarted: Beat, workers and recorder come back by themselves.",
)
SQL_AWAY = (
    "The database does not answer",
    "Accounts and history are kept there, so that nobody can log in and no history can be read "
    "until it is back. Schedules go on firing and runs go on; their history catches up by itself.",
    "See that the server named by BEATDESK_DATABASE_URL runs and has its tables: `beatdesk "
    "doctor` checks both, `beatdesk db upgrade` makes the tables.",
)

TOO_LATE = (
    "This takes too long",
    "Every request has a limit of time, and this one was ended at it. If you saved something, look "
    "whether it is there before you send it again.",
    "Ask for less at a time: fewer schedules, narrower filters. `beatdesk doctor` says whether a "
    "server is slow.",
)
SQL_BUSY = (
    "The database is busy",
    "Another program holds a lock on what is needed here, or the question took too long. Schedules "
    "go on firing and runs go on; other pages may work meanwhile.",
    "Try again in a few seconds, and give a search narrower filters. If it lasts, see which "
    "program holds locks in the database named by BEATDESK_DATABASE_URL.",
)


def install(app: Flask) -> None:
    """Register the handlers that answer every error with a page."""
    app.register_error_handler(HTTPException, show_http_error)
    app.register_error_handler(CSRFError, show_expired_form)
    app.register_error_handler(BeatdeskError, show_refusal)
    app.register_error_handler(RedisError, show_redis_away)
    app.register_error_handler(BrokerError, show_redis_away)
    app.register_error_handler(SQLAlchemyError, show_sql_error)
    app.register_error_handler(Exception, show_crash)


def page(
    code: int,
    title: str,
    text: str,
    remedy: str,
    *,
    bare: bool = False,
    headers: dict[str, str] | None = None,
) -> ResponseReturnValue:
    """Return an error page with its status and headers.

    `bare` leaves out the menu and the visitor, so that rendering needs no database. A call with a
    token gets JSON, and so does a program that asks for JSON during an outage.
    """
    given = dict(headers or {})
    if code == 503:
        given.setdefault("Retry-After", RETRY_AFTER)
    if token_header.presented(request) is not None or (code == 503 and wants_json()):
        response = token_header.problem(code, title, f"{text} {remedy}".strip())
        response.headers.extend(given)
        return response
    g.bare = bare or g.get("bare", False)
    if g.bare:
        forget_visitor()
    body = render_template("errors/error.html", code=code, heading=title, text=text, remedy=remedy)
    return body, code, given


def wants_json() -> bool:
    """Whether the sender prefers JSON to a page: by `Accept`, or because he sent JSON himself."""
    accepted = request.accept_mimetypes
    if not request.headers.get("Accept"):
        return request.is_json
    return accepted["application/json"] > accepted["text/html"]


def forget_visitor() -> None:
    """Make the visitor anonymous for the rest of the request.

    Otherwise Flask-Login would query the account from SQL for every template.
    """
    g._login_user = current_app.login_manager.anonymous_user()  # type: ignore[attr-defined]


def show_http_error(error: HTTPException) -> ResponseReturnValue:
    """Return the page for an HTTP error; a redirect (below 400) passes unchanged."""
    code = error.code or 500
    if code < 400:
        return error.get_response()
    title, remedy = TITLES.get(code, TITLES[500 if code >= 500 else 400])
    description = error.description if error.description != type(error).description else ""
    headers = {"Retry-After": "900"} if code == 429 else {}
    text = description if code in (400, 403, 404, 413) else ""
    return page(code, title, text or "", remedy, bare=code in (429, 500), headers=headers)


def show_expired_form(error: CSRFError) -> ResponseReturnValue:
    """Return the page for a missing or outdated CSRF token."""
    remedy = "Go back, load the page again and send the form once more. Nothing was changed."
    return page(
        400,
        "This form has expired",
        "It was loaded before the last login, or not by this console.",
        remedy,
    )


def show_refusal(error: BeatdeskError) -> ResponseReturnValue:
    """Return the page for an engine error that no view has handled at a field."""
    if isinstance(error, NotFound):
        return page(404, TITLES[404][0], str(error), TITLES[404][1])
    if isinstance(error, StaleRevision):
        return page(409, TITLES[409][0], str(error), TITLES[409][1])
    if isinstance(error, Refused):
        return page(400, "This cannot be accepted", str(error), TITLES[400][1])
    if isinstance(error, UnreadableEntry):
        return page(
            409,
            "This entry cannot be read",
            str(error),
            "Its page in the list shows what is stored.",
        )
    if isinstance(error, Unavailable):
        return page(503, TITLES[503][0], outage_words(error), TITLES[503][1])
    return show_crash(error)


def show_redis_away(error: Exception) -> ResponseReturnValue:
    """Return the page for an outage of Redis, with status 503."""
    if is_late(request.environ):
        return page(503, *TOO_LATE)
    log.error("redis does not answer: %s", error)
    return page(503, *REDIS_AWAY)


def status_of(error: Exception) -> int:
    """Return the status of an unexpected error: 503 for an outage, 500 for a fault of Beatdesk."""
    return 503 if is_outage(error) else 500


def show_sql_error(error: SQLAlchemyError) -> ResponseReturnValue:
    """Return the page for a SQL error: 503 for an outage, 500 for a wrong statement."""
    if is_late(request.environ):
        return page(503, *TOO_LATE, bare=True)
    use = database_use.current()
    if outage.is_busy(error if use is None else use.failure or error):
        log.error("the database is busy: %s", error)
        return page(503, *SQL_BUSY, bare=True)
    if status_of(error) == 503:
        log.error("the database does not answer: %s", error)
        return page(503, *SQL_AWAY, bare=True)
    return show_crash(error)


def show_crash(error: Exception) -> ResponseReturnValue:
    """Log a fault of Beatdesk with its traceback; the page shows no details."""
    log.exception("cannot answer %s %s", request.method, request.path, exc_info=error)
    return page(500, TITLES[500][0], "The fault is ours, not yours.", TITLES[500][1], bare=True)
