"""The endpoints of the first Flask + Celery tutorial, done right: start a job, ask for its state,
sign up.

They are there in development, or where `STARTER_ENDPOINTS` says so. Anyone may call them, so each
is limited by the caller's address. They need no CSRF token, because they know no user: no cookie is
looked at, so that another site has nothing to gain by sending somebody's browser here; and a form
cannot send JSON anyway. Bodies are 4 kB at most.
"""

import hashlib
import logging
from typing import Any

from flask import Blueprint, Flask, abort, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from scheduler.clock import utc_now
from scheduler.errors import NotFound, Refused
from scheduler.events.schema import RunFacts
from scheduler.runs.celery_states import celery_state
from scheduler.settings.schema import Settings
from scheduler.settings.smtp import mail_address
from webadmin.errors import status_of
from webadmin.security import csrf
from webadmin.services import services

log = logging.getLogger(__name__)

BODY_LIMIT = 4096
LONGEST_DURATION = 3600
LONGEST_NAME = 100

starter = Blueprint("starter", __name__)


def install(app: Flask, settings: Settings) -> None:
    """Add the endpoints, where they are wanted."""
    if settings.environment == "development" or settings.starter_endpoints:
        app.register_blueprint(starter)
        csrf.exempt(starter)


@starter.post("/start-task")
def start_task() -> ResponseReturnValue:
    """Start a job that takes `duration` seconds (default: 10); its id, under which to ask for its
    state.
    """
    duration = _body().get("duration", 10)
    if (
        isinstance(duration, bool)
        or not isinstance(duration, int)
        or not 0 <= duration <= LONGEST_DURATION
    ):
        raise Refused(
            f"duration is a whole number of seconds from 0 to {LONGEST_DURATION}", field="duration"
        )
    run = _send("demo.long_task", {"duration": duration})
    return jsonify(task_id=run, status="Task started"), 202


@starter.get("/task-status/<id>")
def task_status(id: str) -> ResponseReturnValue:
    """The state of a task as Celery names it, and its result or error. An unknown id is PENDING, as
    in Celery.
    """
    try:
        run = services().history.run(id)
    except NotFound:
        return jsonify(task_id=id, status=celery_state(None), result=None)
    return jsonify(
        task_id=id, status=celery_state(run.state), result=run.error if run.error else run.result
    )


@starter.post("/signup")
def signup() -> ResponseReturnValue:
    """Send the welcome mail to whoever signs up: by a worker, so that nobody waits for a mail
    server.
    """
    body = _body()
    email, name = body.get("email"), body.get("name")
    if not email or not name:
        return jsonify(error="Missing email or name"), 400
    if (
        not isinstance(name, str)
        or len(name) > LONGEST_NAME
        or not name.isprintable()
        or not name.strip()
    ):
        raise Refused(f"name is one line of up to {LONGEST_NAME} characters", field="name")
    try:
        mail_address(email)
    except ValueError as error:
        raise Refused(str(error), field="email") from None
    _send("mail.send", {"to": [email], "template": "welcome", "context": {"name": name.strip()}})
    return jsonify(message="Signup successful! Welcome email will be sent shortly.")


def mailed_account() -> str:
    """Whom a sign-up would send a mail to, as a digest, for the limit of mails to one address."""
    try:
        email = _body().get("email")
    except HTTPException:
        email = None  # the view says what is wrong
    return (
        "signup-"
        + hashlib.sha256(str(email).strip().lower().encode("utf-8", "replace")).hexdigest()[:24]
    )


@starter.errorhandler(Refused)
def say_refusal(error: Refused) -> ResponseReturnValue:
    """A value that cannot be taken, with its field."""
    return jsonify(error=str(error), field=error.field), 422


@starter.errorhandler(HTTPException)
def say_http_error(error: HTTPException) -> ResponseReturnValue:
    """Whatever is wrong with the request itself."""
    headers = {"Retry-After": "60"} if error.code == 429 else {}
    return jsonify(error=error.description or error.name), error.code or 500, headers


@starter.errorhandler(Exception)
def say_failure(error: Exception) -> ResponseReturnValue:
    """A server that does not answer, or a fault of ours; the log has all of it."""
    code = status_of(error)
    log.error("cannot answer %s %s", request.method, request.path, exc_info=error)
    return jsonify(
        error="A server does not answer; try again later." if code == 503 else "The fault is ours."
    ), code


def _body() -> dict[str, Any]:
    """The request's JSON object. Answers 400, 413 or 415 where there is none."""
    if (
        len(request.get_data()) > BODY_LIMIT
    ):  # which the app's own limit keeps from being very large
        abort(413)
    try:
        body: Any = request.get_json()
    except RecursionError:
        abort(400, "The body is nested too deeply.")
    if not isinstance(body, dict):
        abort(400, "The body must be a JSON object.")
    return body


def _send(job: str, kwargs: dict[str, Any]) -> str:
    """Send a job to its queue; the run's id."""
    queue = str(services().celery.conf.task_default_queue)
    return services().control.send(
        RunFacts(job=job, trigger="api", queue=queue), [], kwargs, now=utc_now()
    )
