"""Probes for a load balancer: liveness and readiness. No login, no secrets in the answer."""

from flask import Blueprint, Flask, jsonify
from flask.typing import ResponseReturnValue

from webadmin import health

probes = Blueprint("probes", __name__)


def install(app: Flask) -> None:
    """Register `/healthz` and `/readyz`."""
    app.register_blueprint(probes)


@probes.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Answer 200 from the process alone, so that an outage elsewhere restarts no web process."""
    return jsonify(status="ok")


@probes.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Answer 200, or 503 with reasons: Redis, SQL, Beat's last tick, the recorder's lag."""
    red = [part for part in health.current().parts if not part.ok and part.name != "workers"]
    # The addresses of Redis and SQL stay hidden from visitors without a login.
    reasons = {
        part.name: "does not serve" if part.name in {"redis", "sql"} else part.summary
        for part in red
    }
    return jsonify(
        status="not ready" if reasons else "ready", reasons=reasons
    ), 503 if reasons else 200
