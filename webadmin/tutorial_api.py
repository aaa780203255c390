"""The endpoints of the first Flask + Celery tutorial: start a job, read its state, sign up.

Registered in development, or with the setting `STARTER_ENDPOINTS`. The endpoints are open to
anyone, or to programs with the token of the setting `STARTER_TOKEN`, and so limited by the
caller's address. They answer for runs that they started. A CSRF token is not needed: no cookie is
read, so that a foreign site gains nothing from a visitor's browser; and a form cannot send JSON
anyway. Bodies are 4 kB at most.
"""

import hashlib
import hmac
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
LONGEST_DURATION = 60
LONGEST_NAME = 100
ACTOR = "tutorial"
"""Actor of the runs that these endpoints start; no account has a name without an `@`."""

starter = Blueprint("starter", __name__)


def install(app: Flask, settings: Settings) -> None:
    """Register the endpoints in development, or where the settings enable them."""
    is_closed = settings.environment == "production" and not settings.starter_token
    if settings.environment == "development" or (settings.starter_endpoints and not is_closed):
        app.register_blueprint(starter)
        csrf.exempt(starter)


@starter.before_request
def check_token() -> None:
    """Refuse a call without the token of the settings with 401; without a setting all pass."""
    token = services().settings.starter_token
    text = request.headers.get("X-Starter-Token", "")
    if token and not hmac.compare_digest(text.encode(), token.encode()):
        abort(401, "Send the token of the setting BEATDESK_STARTER_TOKEN as X-Starter-Token.")


@starter.post("/start-task")
def start_task() -> ResponseReturnValue:
    """Start a job of `duration` seconds (0 to 60, default 10). Returns the task's id."""
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
    """Return a task's state in Celery's words, and the result or error.

    An unknown id is PENDING, as in Celery; so is a run that these endpoints have not started.
    """
    try:
        run = services().history.run(id)
    except NotFound:
        run = None
    if run is None or (run.trigger, run.actor) != ("api", ACTOR):
        return jsonify(task_id=id, status=celery_state(None), result=None)
    return jsonify(
        task_id=id, status=celery_state(run.state), result=run.error if run.error else run.result
    )


@starter.post("/signup")
def signup() -> ResponseReturnValue:
    """Send the welcome mail by a worker, so that the caller does not wait for a mail server.

    Returns 400 for a missing field and 422 for an invalid value.
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
    """Return a digest of the recipient, the key of the limit on mails to one address."""
    try:
        email = _body().get("email")
    except HTTPException:
        email = None  # the view reports the error
    return (
        "signup-"
        + hashlib.sha256(str(email).strip().lower().encode("utf-8", "replace")).hexdigest()[:24]
    )


@starter.errorhandler(Refused)
def say_refusal(error: Refused) -> ResponseReturnValue:
    """Return an invalid value's error and field, with status 422."""
    return jsonify(error=str(error), field=error.field), 422


@starter.errorhandler(HTTPException)
def say_http_error(error: HTTPException) -> ResponseReturnValue:
    """Return an error of the HTTP request, with its status."""
    headers = {"Retry-After": "60"} if error.code == 429 else {}
    return jsonify(error=error.description or error.name), error.code or 500, headers


@starter.errorhandler(Exception)
def say_failure(error: Exception) -> ResponseReturnValue:
    """Return an outage (503) or a fault of Beatdesk (500); the log has the traceback."""
    code = status_of(error)
    log.error("cannot answer %s %s", request.method, request.path, exc_info=error)
    return jsonify(
        error="A server does not answer; try again later." if code == 503 else "The fault is ours."
    ), code


def _body() -> dict[str, Any]:
    """Return the request's JSON object. Aborts with 400, 413 or 415 for any other body."""
    if len(request.get_data()) > BODY_LIMIT:  # the app's own limit bounds the memory
        abort(413)
    try:
        body: Any = request.get_json()
    except RecursionError:
        abort(400, "The body is nested too deeply.")
    if not isinstance(body, dict):
        abort(400, "The body must be a JSON object.")
    return body


def _send(job: str, kwargs: dict[str, Any]) -> str:
    """Send a job to the default queue. Returns the id of the run."""
    queue = str(services().celery.conf.task_default_queue)
    return services().control.send(
        RunFacts(job=job, trigger="api", actor=ACTOR, queue=queue), [], kwargs, now=utc_now()
    )
