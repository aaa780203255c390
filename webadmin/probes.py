"""What a load balancer asks: does the process live, can it do its work. No login, and no secrets in
the answer.
"""

from flask import Blueprint, Flask, jsonify
from flask.typing import ResponseReturnValue

from webadmin import health

probes = Blueprint("probes", __name__)


def install(app: Flask) -> None:
    """Add `/healthz` and `/readyz`."""
    app.register_blueprint(probes)


@probes.get("/healthz")
def healthz() -> ResponseReturnValue:
    """The process answers. It asks nobody else, so that an outage elsewhere restarts no web
    process.
    """
    return jsonify(status="ok")


@probes.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Redis, SQL, Beat's last tick and the recorder's lag; 503 names what is not well."""
    red = [part for part in health.current().parts if not part.ok and part.name != "workers"]
    # Where Redis and SQL are is nobody's business who has not logged in.
    reasons = {
        part.name: "does not serve" if part.name in {"redis", "sql"} else part.summary
        for part in red
    }
    return jsonify(
        status="not ready" if reasons else "ready", reasons=reasons
    ), 503 if reasons else 200
