"""The events of runs as they stand in the stream."""

from typing import Any

import pytest
from redis import Redis

from scheduler.events.schema import Event, RunEvent, decode
from scheduler.storage import keys
from tests.support.waiting import wait_for

ENDS = {"run.succeeded", "run.failed", "run.expired", "run.skipped", "run.revoked"}


class Stream:
    """What is in the event stream; nothing reads it away in these tests."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis

    def events(self) -> list[Event]:
        """All events, in the order in which they arrived."""
        entries: Any = self._redis.xrange(keys.EVENTS_STREAM)
        return [decode(fields) for _, fields in entries]

    def of(self, run: str) -> list[Any]:
        """The events of one run."""
        return [
            event for event in self.events() if isinstance(event, RunEvent) and event.run == run
        ]

    def kinds(self, run: str) -> list[str]:
        """Their kinds."""
        return [event.kind for event in self.of(run)]

    def end(self, run: str, timeout: float = 20) -> Any:
        """The event that ends the run, as soon as it is there."""

        def ended() -> list[Any]:
            return [event for event in self.of(run) if event.kind in ENDS]

        return wait_for(ended, timeout, f"run {run} has ended; it has {self.kinds(run)}")[-1]

    def one(self, run: str, kind: str) -> Any:
        """The run's only event of this kind."""
        found = [event for event in self.of(run) if event.kind == kind]
        assert len(found) == 1, self.kinds(run)
        return found[0]


@pytest.fixture
def stream(redis: "Redis") -> Stream:
    """The event stream."""
    return Stream(redis)
