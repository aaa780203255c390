"""The desk's health as every page shows it."""

from datetime import timedelta
from typing import cast

from flask import Flask, current_app

from scheduler.clock import utc_now
from scheduler.health.status import Part, Status, status
from scheduler.rules.model.spec import Pause
from webadmin.refusals import while_away
from webadmin.services import services
from webadmin.stale_while_revalidate import StaleWhileRevalidate

FRESH = timedelta(seconds=3)


def install(app: Flask) -> None:
    """Let the app remember its health."""
    app.extensions["health"] = StaleWhileRevalidate(status, FRESH)


def current() -> Status:
    """The health of everything, at most a few seconds old."""
    return cast("StaleWhileRevalidate[Status]", current_app.extensions["health"]).read(
        services(), utc_now()
    )


def beat_leads() -> bool:
    """Whether a Beat holds the lock, so that what is due is dealt with."""
    return "leader" in current().beat.facts


@while_away(None)
def everything_paused() -> Pause | None:
    """Why everything stands still; none where it does not, or where nobody can say."""
    return services().pause_all.paused(utc_now()) if current().redis.ok else None


def causes(found: Status) -> list[Part]:
    """The parts that are not well; without Redis nothing is known of Beat, workers and recorder, so
    that it is one.
    """
    red = [part for part in found.parts if not part.ok]
    return red if found.redis.ok else [part for part in red if part.name in {"redis", "sql"}]
