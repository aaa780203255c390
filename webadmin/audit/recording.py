"""Record an access event of the current request."""

from flask import request

from scheduler.clock import utc_now
from scheduler.events.access import AccessEvent
from webadmin.services import services


def record(kind: type[AccessEvent], *, actor: str, subject: str = "", detail: str = "") -> None:
    """Record an access event from the client's network address. Raises nothing during outages."""
    services().access_log.record(
        kind,
        actor=actor,
        at=utc_now(),
        subject=subject,
        address=request.remote_addr or "",
        detail=detail,
    )
