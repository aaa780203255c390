"""The health of Beatdesk, as shown on every page."""

from datetime import datetime, timedelta
from typing import cast

from flask import Flask, current_app

from scheduler.clock import utc_now
from scheduler.health.status import Part, Status, status
from scheduler.rules.model.spec import Pause
from scheduler.services.services import Services
from webadmin.access import by_tag
from webadmin.budgets.table import HEALTH
from webadmin.refusals import while_away
from webadmin.services import services
from webadmin.stale_while_revalidate import StaleWhileRevalidate

FRESH = timedelta(seconds=3)
SERVERS = frozenset({"redis", "sql"})
"""Parts whose summaries have addresses."""

FOR_ADMINS = "Administrators see the details here"


def install(app: Flask) -> None:
    """Install the cached health on the app."""
    app.extensions["health"] = StaleWhileRevalidate(read_health, FRESH)


def read_health(services: Services, now: datetime) -> Status:
    """Read the health of all parts, within the seconds of a page."""
    return status(services, now, redis_seconds=HEALTH)


def current() -> Status:
    """Return the health of all parts, at most FRESH old."""
    return cast("StaleWhileRevalidate[Status]", current_app.extensions["health"]).read(
        services(), utc_now()
    )


def beat_leads() -> bool:
    """Whether a Beat process holds the leader lock and handles due ticks."""
    return "leader" in current().beat.facts


@while_away(None)
def everything_paused() -> Pause | None:
    """Return the pause of all schedules; None without such a pause, or while Redis is away."""
    return services().pause_all.paused(utc_now()) if current().redis.ok else None


def visible(part: Part) -> Part:
    """Return the part as the caller may read it: addresses of servers are for administrators."""
    if part.name not in SERVERS or by_tag.current_rights().covers("admin"):
        return part
    product = " ".join(
        str(part.facts[name]) for name in ("product", "version") if part.ok and name in part.facts
    )
    return part.model_copy(update={"summary": product or FOR_ADMINS, "facts": {}})


def causes(found: Status) -> list[Part]:
    """Return the unhealthy parts.

    Beat, workers and recorder report through Redis: an outage of Redis hides their state, and only
    the servers are listed.
    """
    red = [part for part in found.parts if not part.ok]
    return red if found.redis.ok else [part for part in red if part.name in SERVERS]
