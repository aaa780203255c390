"""The access log's record of a command about accounts or tokens."""

from scheduler.cli.fields import actor
from scheduler.clock import utc_now
from scheduler.events.access import AccessEvent
from scheduler.services.services import Services


def record_access(
    services: Services, kind: type[AccessEvent], subject: str, detail: str = ""
) -> None:
    """Record that the user of the command did something to an account or token."""
    services.access_log.record(kind, actor=actor(), at=utc_now(), subject=subject, detail=detail)
