"""A schedule that is due each second, the Beat that fires it, and what comes of it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from redbeat.schedulers import RedBeatScheduler

from scheduler.celery_app.queues import CELERYS_QUEUE, QUEUES
from scheduler.clock import utc_now
from scheduler.events.schema import (
    RunFailed,
    RunReceived,
    RunSucceeded,
    TicksEvent,
    run_event,
)
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import Policies, Schedule, Window
from scheduler.schedules.store import ScheduleStore
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.builders import a_spec, every, facts_of
from tests.support.schedules.contents import events, messages
from tests.support.schedules.late import full_second
from tests.support.waiting import wait_for

SECOND = timedelta(seconds=1)


class Desktop:
    """A schedule that is due each second, the Beat that fires it, and what comes of it."""

    def __init__(self, services: Services, store: ScheduleStore, beat: RedBeatScheduler) -> None:
        self.services, self.store, self.beat, self.redis = services, store, beat, services.redis
        self.schedule: Schedule

    def has(self, *, since: timedelta = SECOND, seconds: float = 1, **parts: Any) -> Schedule:
        """Make the schedule; its first tick was due `since` ago, less one period."""
        created = full_second() - since
        policies, window = Policies(**parts.pop("policies", {})), Window(**parts.pop("window", {}))
        parts.setdefault("when", every(seconds, created))
        spec = a_spec("due", policies=policies, window=window, **parts)
        self.schedule = self.store.create(spec, edit=Edit(actor="ada", now=created))
        return self.schedule

    def fires_until(self, fact: Callable[[], object]) -> None:
        """Let Beat look until something is so."""

        def looked() -> object:
            self.beat.tick()
            return fact()

        wait_for(looked, 10, "Beat brings it about")

    @property
    def sent(self) -> list[str]:
        """The runs whose messages are in the queue, oldest first."""
        return [message["headers"]["id"] for message in messages(self.redis)]

    def rulings(self, reason: str | None = None) -> list[TicksEvent]:
        """The verdicts on ticks without a run."""
        verdicts = [event for event in events(self.redis) if isinstance(event, TicksEvent)]
        return [event for event in verdicts if reason in {None, event.reason}]

    def waiting(self) -> list[str]:
        """The waiting ticks."""
        return self.redis.zrange(keys.WAITING_PREFIX + self.schedule.uid, 0, -1)

    def alive(self) -> list[str]:
        """The runs without a final state."""
        return self.services.leases.runs_of(self.schedule.uid)

    def takes(self, run: str) -> None:
        """A worker takes a run's message, and tells so."""
        for queue in (*QUEUES, CELERYS_QUEUE):
            for message in self.redis.lrange(queue, 0, -1):
                if run in message:
                    self.redis.lrem(queue, 1, message)
        facts = facts_of(self.schedule)
        received = run_event(RunReceived, run, 1, utc_now(), worker="w@h", facts=facts)
        self.services.events.append(received)

    def ends(self, run: str, kind: Any = RunSucceeded) -> None:
        """A worker tells the end of a run."""
        facts = {"error": "no"} if kind is RunFailed else {}
        self.services.events.append(run_event(kind, run, 1, utc_now(), worker="w@h", **facts))
