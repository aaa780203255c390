"""Readiness of the children, by facts: each probe takes the child's process id and returns within
seconds; a server without an answer is not ready.
"""

import http.client
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from redis import Redis
from redis.exceptions import RedisError

from scheduler.clock import utc_now
from scheduler.errors import BeatdeskError
from scheduler.health.recorders import recorders
from scheduler.services.services import Services
from scheduler.storage import keys

Probe = Callable[[int], bool]

SECONDS = 2.0


def valkey_answers(url: str) -> Probe:
    """Ready once the server answers PING, after the reading of its append-only file."""

    def ready(_pid: int) -> bool:
        with (
            suppress(RedisError),
            Redis.from_url(url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS) as redis,
        ):
            return bool(redis.ping())
        return False

    return ready


def recorder_beats(services: Services) -> Probe:
    """Ready once the recorder with this process id has sent a heartbeat."""

    def ready(pid: int) -> bool:
        with suppress(RedisError, ValueError, KeyError):
            return any(facts.get("pid") == pid for facts in recorders(services, utc_now()).values())
        return False

    return ready


def worker_beats(services: Services) -> Probe:
    """Ready once the worker with this process id has published its jobs."""

    def ready(pid: int) -> bool:
        with suppress(RedisError, BeatdeskError):
            return any(worker.pid == pid for worker in services.catalogue.workers(utc_now()))
        return False

    return ready


class BeatLeads:
    """Ready once the lock of Beat has another holder than at the first probe of this process.

    A Beat elsewhere may lead, with this one as a standby: ready too, after a renewal of the lock.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._pid = 0
        self._holder: str | None = None
        self._left = 0

    def __call__(self, pid: int) -> bool:
        """Probe once."""
        with suppress(RedisError):
            holder, left = self._lock()
            if pid != self._pid:
                self._pid = pid
                self._holder = holder
                self._left = left
                return False
            renewed = holder == self._holder and left > self._left
            self._left = left
            return holder is not None and (holder != self._holder or renewed)
        return False

    def _lock(self) -> tuple[str | None, int]:
        holder = cast("str | None", self._services.redis.get(keys.BEAT_LOCK))
        return holder, self._services.redis.pttl(keys.BEAT_LOCK)


def page_answers(host: str, port: int) -> Probe:
    """Ready once the console answers `/healthz` with 200."""

    def ready(_pid: int) -> bool:
        connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return ready
