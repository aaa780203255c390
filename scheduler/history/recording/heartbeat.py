"""A recorder's heartbeat in Redis: process, recorded events, lag of SQL, and problem.

Sent by a separate thread, so that a recorder waiting for SQL does not count as dead.
"""

import json
import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from redis import Redis
from redis.exceptions import RedisError

from scheduler.clock import utc_now
from scheduler.events.stream import EventStream
from scheduler.storage import keys

log = logging.getLogger(__name__)

EVERY = 3.0
"""Seconds between two heartbeats."""


class Heartbeat:
    """The heartbeat of a recorder.

    The recorder sets `folded`, the number of events since the start, and `problem`.
    """

    def __init__(self, redis: Redis, stream: EventStream, name: str) -> None:
        self.folded = 0
        self.problem: str | None = None
        self._redis = redis
        self._stream = stream
        self._name = name

    def beat(self, now: datetime) -> None:
        """Send a heartbeat."""
        lag = self._stream.lag()
        facts = {
            "at": now.isoformat(),
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "folded": self.folded,
            "lag": {"events": lag.events, "seconds": round(lag.seconds, 3)},
            "problem": self.problem,
        }
        self._redis.hset(keys.RECORDERS_HASH, self._name, json.dumps(facts))

    def sign_off(self) -> None:
        """Remove the heartbeat: the recorder ends on purpose."""
        self._redis.hdel(keys.RECORDERS_HASH, self._name)

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Send heartbeats in the background. Only the recorder logs outages of Redis."""
        stopped = threading.Event()
        thread = threading.Thread(
            target=self._keep_beating, args=(stopped,), name="heartbeat", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()
            try:
                self.sign_off()
            except (RedisError, OSError) as error:
                log.debug("the recorder could not sign off: %s", error)

    def _keep_beating(self, stopped: threading.Event) -> None:
        while True:
            try:
                self.beat(utc_now())
            except (RedisError, OSError) as error:
                log.debug("no sign of life: %s", error)
            if stopped.wait(EVERY):
                return
