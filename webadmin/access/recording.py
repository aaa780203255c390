"""Record an access event of the current request."""

from flask import request
from flask_login import current_user

from scheduler.clock import utc_now
from scheduler.events.access import AccessEvent, DataExported
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


def record_by_visitor(kind: type[AccessEvent], subject: str, detail: str = "") -> None:
    """Record what the logged-in visitor, or the token's holder, does to `subject`."""
    record(kind, actor=str(current_user.email), subject=subject, detail=detail)


def record_export(subject: str, detail: str = "") -> None:
    """Record that the visitor takes data out as a file; a HEAD for the file counts too."""
    record_by_visitor(DataExported, subject, detail)
