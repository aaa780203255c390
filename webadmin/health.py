"""The desk's health as the console shows it, asked for once in a few seconds per process, not once per page."""

import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from flask import Flask, current_app

from scheduler.clock import utc_now
from scheduler.wiring import Desk
from webadmin import desk

if TYPE_CHECKING:
    from scheduler.status import Part, Status

FRESH = timedelta(seconds=3)


class Pulse:
    """The last answer and when it was asked for. One thread asks; the others take the answer that is there."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.at: datetime | None = None
        self.status: Status | None = None

    def read(self, desk: Desk, now: datetime) -> "Status":
        """An answer that is at most `FRESH` old, or older while another thread is asking."""
        if self.status is not None and self.at is not None and abs(now - self.at) <= FRESH:
            return self.status
        if not self.lock.acquire(blocking=self.status is None):
            return cast("Status", self.status)
        try:
            self.status, self.at = ask(desk, now), now
            return self.status
        finally:
            self.lock.release()


def install(app: Flask) -> None:
    """Give the app its pulse."""
    app.extensions["pulse"] = Pulse()


def ask(desk: Desk, now: datetime) -> "Status":
    """The health of everything, now."""
    from scheduler.status import status

    return status(desk, now)


def current() -> "Status":
    """The health of everything, at most a few seconds old."""
    pulse: Pulse = current_app.extensions["pulse"]
    return pulse.read(desk(), utc_now())


def parts(status: "Status") -> list["Part"]:
    """The parts in the order in which a run meets them."""
    return [status.beat, status.workers, status.recorder, status.redis, status.sql]
