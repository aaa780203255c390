"""Runs whose messages a test moves about, an audit that looks for them, and the history's rows."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from scheduler.clock import utc_now
from scheduler.events.schema import (
    Event,
    RunQueued,
    RunReceived,
    RunRetried,
    RunStarted,
    RunSucceeded,
    run_event,
)
from scheduler.history.recording.recorder import Recorder
from scheduler.reconciling import audit
from scheduler.rules.model.spec import Schedule
from scheduler.services import watches
from scheduler.services.services import Services
from tests.support.builders import a_schedule, facts_of
from tests.support.history.recording import record_all

QUEUE = "later"


class Audited:
    """A schedule with runs, a recorder, and an audit with a clock of its own."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.redis = services.redis
        self.schedule: Schedule = a_schedule("vanished", queue=QUEUE)
        self.audit = watches.message_audit(services)
        self.now: datetime = utc_now()
        self._recorder = Recorder(services.events, services.engine, services.redis, 1000, "test")
        services.events.ensure_group()

    def sent(self, priority: int | None = None) -> str:
        """Start a run of the schedule; its id."""
        schedule = self.schedule.model_copy(update={"priority": priority})
        return self.services.control.start(schedule, actor="ada", now=self.now)

    def by_name(self, **options: Any) -> str:
        """Send a job by its name, and tell so, as an application with our app does."""
        run = str(self.services.celery.send_task("tests.add", (1,), queue=QUEUE, **options).id)
        facts = facts_of(self.schedule).model_copy(
            update={"schedule": None, "schedule_uid": None, "trigger": "api", "queue": QUEUE}
        )
        self.tells(run_event(RunQueued, run, 1, self.now, facts=facts))
        return run

    def tells(self, *events: Event) -> None:
        """Append events."""
        for event in events:
            self.services.events.append(event)

    def received(self, run: str, attempt: int = 1) -> None:
        """A worker tells that it has a run."""
        facts = facts_of(self.schedule)
        self.tells(run_event(RunReceived, run, attempt, self.now, worker="w@h", facts=facts))

    def started(self, run: str, attempt: int = 1) -> None:
        """A worker tells that an attempt began."""
        self.tells(run_event(RunStarted, run, attempt, self.now, worker="w@h"))

    def ended(self, run: str, attempt: int = 1) -> None:
        """A worker tells that a run ended."""
        self.tells(run_event(RunSucceeded, run, attempt, self.now, worker="w@h"))

    def failed_once(self, run: str, attempt: int = 1) -> None:
        """A worker tells that an attempt failed and another follows."""
        self.tells(run_event(RunRetried, run, attempt, self.now, worker="w@h", error="no"))

    def taken(self, key: str = QUEUE) -> str | None:
        """kombu takes the oldest message of a list; its run."""
        text: Any = self.redis.rpop(key)
        if text is None:
            return None
        message = json.loads(text)
        tag = message["properties"]["delivery_tag"]
        self.redis.hset("unacked", tag, json.dumps([message, "", key.partition("\x06")[0]]))
        self.redis.zadd("unacked_index", {tag: self.now.timestamp()})
        return str(message["headers"]["id"])

    def acknowledged(self, run: str) -> None:
        """kombu forgets a taken message."""
        for tag, text in self.redis.hgetall("unacked").items():
            if run in text:
                self.redis.hdel("unacked", tag)
                self.redis.zrem("unacked_index", tag)

    def given_back(self, run: str) -> None:
        """kombu puts a taken message back."""
        for tag, text in self.redis.hgetall("unacked").items():
            if run in text:
                message, _, queue = json.loads(text)
                message["headers"]["redelivered"] = True
                self.redis.hdel("unacked", tag)
                self.redis.rpush(queue, json.dumps(message))

    def looks(self, after: float = 20) -> audit.Found:
        """Record all events, and look once, so many seconds later."""
        record_all(self._recorder, self.now)
        self.now += timedelta(seconds=after)
        found = self.audit.look(self.now)
        record_all(self._recorder, self.now)
        return found

    def records(self) -> None:
        """Record all events."""
        record_all(self._recorder, self.now)

    def row(self, run: str) -> Any:
        """The run in the history."""
        return self.services.history.run(run)


@pytest.fixture
def audited(services: Services) -> Audited:
    """Runs, an audit and the history."""
    return Audited(services)
