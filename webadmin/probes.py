"""What a load balancer asks: does the process live, can it do its work. No login, and no secrets in the answer."""

from flask import Blueprint, Flask, jsonify
from flask.typing import ResponseReturnValue

from scheduler.clock import utc_now
from webadmin import desk, health

probes = Blueprint("probes", __name__)


def install(app: Flask) -> None:
    """Add `/healthz` and `/readyz`."""
    app.register_blueprint(probes)


@probes.get("/healthz")
def healthz() -> ResponseReturnValue:
    """The process answers. It asks nobody else, so that an outage elsewhere restarts no web process."""
    return jsonify(status="ok")


@probes.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Redis, SQL, Beat's last tick and the recorder's lag; 503 names what is not well."""
    status = health.ask(desk(), utc_now())
    parts = health.parts(status)
    reasons = {part.name: part.summary for part in parts if not part.ok and part.name != "workers"}
    body = {
        "status": "ready" if not reasons else "not ready",
        "reasons": reasons,
        "parts": {part.name: {"ok": part.ok, "summary": part.summary} for part in parts},
    }
    return jsonify(body), 503 if reasons else 200
