"""The measured schedulers, behind one interface.

Beatdesk, stock RedBeat twice, django-celery-beat and APScheduler; each lives in a process of its
own (`beat_child`). All send the same task to the same queue of the same Redis. A question beyond a
contender's abilities is None in the table.
"""

import json
import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from redis import Redis

from scheduler.rules.model.edit import Edit
from tests.bench.figures import versions

QUEUE = "bench"
TASK = "bench.job"
HOUR = 3600.0


class Plan(NamedTuple):
    """A planned schedule: due first at `due`, then every `every` seconds."""

    number: int
    due: datetime
    every: float = HOUR
    enabled: bool = True

    @property
    def name(self) -> str:
        return f"bench-{self.number:06}"

    @property
    def before(self) -> datetime:
        """Return the time of the run before `due`."""
        return self.due - timedelta(seconds=self.every)


class Contender:
    """A measured scheduler.

    `fill` makes the schedules, `begin` the scheduler; `turn` is one tick of the scheduler.
    """

    key = ""
    title = ""
    needs: tuple[str, ...] = ()
    """Required packages; a contender with a missing package is left out."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self.redis: Any = Redis.from_url(url, decode_responses=True, socket_timeout=30)
        self.scheduler: Any = None

    def fill(self, plans: Sequence[Plan]) -> None:
        """Make the schedules."""
        raise NotImplementedError

    def begin(self, longest_sleep: float) -> None:
        """Make the scheduler, for later turns."""
        raise NotImplementedError

    def turn(self) -> float:
        """Run one tick. Returns the seconds until the next turn."""
        return float(self.scheduler.tick() or 0)

    def rearm(self, plans: Sequence[Plan]) -> None:
        """Make all schedules due again."""
        raise NotImplementedError

    def edit(self, number: int) -> None:
        """Make a schedule that is due now, as another process would."""
        self.fill([Plan(number, datetime.now(UTC))])  # noqa: TID251 - a root

    def end(self) -> None:
        """Close the scheduler."""


class OverRedBeat(Contender):
    """Shared code of all contenders with RedBeat's data."""

    def _write(
        self, plans: Sequence[Plan], fields: Callable[[Plan], tuple[dict[str, Any], float]]
    ) -> None:
        for begin in range(0, len(plans), 1000):
            with self.redis.pipeline(transaction=False) as pipe:
                for plan in plans[begin : begin + 1000]:
                    values, score = fields(plan)
                    pipe.hset(f"redbeat:{plan.name}", mapping=values)
                    pipe.zadd("redbeat::schedule", {f"redbeat:{plan.name}": score})
                pipe.execute()

    def rearm(self, plans: Sequence[Plan]) -> None:
        self._write(plans, lambda plan: ({"meta": _meta(plan)}, plan.due.timestamp()))


class Stock(OverRedBeat):
    """redbeat.RedBeatScheduler on a Celery app without Beatdesk, with entries saved by RedBeat."""

    key, title, needs = "stock", "stock RedBeat", ("celery-redbeat",)

    def app(self) -> Any:
        """Return a plain Celery app."""
        from celery import Celery

        app = Celery("bench", broker=self.url)
        app.conf.update(
            redbeat_redis_url=self.url,
            timezone="UTC",
            redbeat_lock_timeout=1500,
            beat_max_loop_interval=1,
        )
        return app

    def fill(self, plans: Sequence[Plan]) -> None:
        from celery.schedules import schedule
        from redbeat import RedBeatSchedulerEntry

        app = self.app()
        for plan in plans:
            rule = schedule(plan.every, app=app)
            more = {"args": [plan.number], "options": {"queue": QUEUE}, "enabled": plan.enabled}
            RedBeatSchedulerEntry(
                plan.name, TASK, rule, app=app, last_run_at=plan.before, **more
            ).save()
        self.rearm(plans)

    def edit(self, number: int) -> None:
        from celery.schedules import schedule
        from redbeat import RedBeatSchedulerEntry

        app = self._editor = getattr(self, "_editor", None) or self.app()
        rule = schedule(HOUR, app=app)
        more = {"args": [number], "options": {"queue": QUEUE}}
        past = datetime.now(UTC) - timedelta(seconds=HOUR)  # noqa: TID251 - a root
        RedBeatSchedulerEntry(
            f"edit-{number}", TASK, rule, app=app, last_run_at=past, **more
        ).save()

    def begin(self, longest_sleep: float) -> None:
        from redbeat import RedBeatScheduler

        self.scheduler = RedBeatScheduler(self.app(), max_interval=longest_sleep)
        _take_lock(self.scheduler)

    def end(self) -> None:
        self.scheduler.close()


class OurEntries(OverRedBeat):
    """Contender with schedules saved by Beatdesk."""

    def fill(self, plans: Sequence[Plan]) -> None:
        from scheduler.rules.model.spec import IntervalWhen, Policies, Schedule
        from scheduler.schedules import changes
        from scheduler.storage import keys
        from tests.support.builders import a_saved_event

        def fields(plan: Plan) -> tuple[dict[str, Any], float]:
            long_ago = plan.due - timedelta(hours=2)
            schedule = Schedule(
                name=plan.name,
                job=TASK,
                enabled=plan.enabled,
                when=IntervalWhen(every=plan.every, anchor=plan.before),
                args=[plan.number],
                queue=QUEUE,
                policies=Policies(overlap="allow"),
                uid=str(uuid4()),
                revision=1,
                updated_at=long_ago,
                updated_by="bench",
            )
            change = changes.written(
                schedule, None, None, long_ago, a_saved_event(schedule, long_ago)
            )
            values = {
                "definition": change.raw.definition,
                "meta": _meta(plan),
                "beatdesk": change.raw.extra,
            }
            return values, plan.due.timestamp() if plan.enabled else changes.ASLEEP

        self._write(plans, fields)
        self.redis.set(keys.BEAT_VOUCHED, self.redis.info("server")["run_id"])

    def edit(self, number: int) -> None:
        from scheduler.clock import utc_now
        from scheduler.rules.model.spec import OnceWhen, Spec
        from scheduler.services.services import Services
        from scheduler.settings.schema import Settings

        services = self._services = getattr(self, "_services", None) or Services(
            Settings(redis_url=self.url, data_dir=self.folder)
        )
        if not number:
            _offer(services)
        now = utc_now()
        when = OnceWhen(at=now + timedelta(milliseconds=1))
        spec = Spec(
            name=f"edit-{number}", job=TASK, when=when, kwargs={"number": number}, queue=QUEUE
        )
        services.schedules.create(spec, edit=Edit(actor="bench", now=now))

    def app(self) -> Any:
        """Return the app of `-A scheduler`."""
        os.environ.update(BEATDESK_REDIS_URL=self.url, BEATDESK_DATA_DIR=str(self.folder))
        os.environ.update(BEATDESK_BEAT_LOCK_TIMEOUT="600", BEATDESK_LOG_LEVEL="WARNING")
        from scheduler.celery import app

        return app


class StockOnOurs(OurEntries):
    """redbeat.RedBeatScheduler with `-A scheduler`."""

    key, title, needs = "stock-a", "stock, -A scheduler", ("celery-redbeat",)

    def begin(self, longest_sleep: float) -> None:
        from redbeat import RedBeatScheduler

        from scheduler.beat.stock.entry import install

        self.scheduler = RedBeatScheduler(self.app(), max_interval=longest_sleep)
        install(self.scheduler)
        _take_lock(self.scheduler)

    def end(self) -> None:
        self.scheduler.close()


class Ours(OurEntries):
    """scheduler.beat.Scheduler."""

    key, title = "ours", "ours"

    def begin(self, longest_sleep: float) -> None:
        app = self.app()
        from scheduler.beat import Scheduler

        self.scheduler = Scheduler(app, max_interval=longest_sleep)

    def end(self) -> None:
        self.scheduler.close()


def _meta(plan: Plan) -> str:
    """Return Beat's memory of a schedule with an earlier run, in RedBeat's encoding."""
    from redbeat.decoder import RedBeatJSONEncoder

    return json.dumps({"last_run_at": plan.before, "total_run_count": 0}, cls=RedBeatJSONEncoder)


def _take_lock(scheduler: Any) -> None:
    """Take the lock, as stock RedBeat does on Celery's signal."""
    from types import SimpleNamespace

    from redbeat.schedulers import acquire_distributed_beat_lock

    acquire_distributed_beat_lock(SimpleNamespace(scheduler=scheduler))


def _offer(services: Any) -> None:
    """Publish the task in the catalogue, so that schedules of the task can be saved."""
    from scheduler.catalogue.records import Job, Parameter, Worker
    from scheduler.clock import utc_now

    now = utc_now()
    job = Job(name=TASK, parameters=[Parameter(name="number", required=False)])
    services.catalogue.publish([job], Worker(name="w", pid=1, host="h", at=now, jobs=[TASK]), now)


def installed(contender: type[Contender]) -> bool:
    """Whether the contender's packages are installed."""
    return "missing" not in versions(*contender.needs)


def cpu_seconds() -> float:
    """Return the CPU seconds of this process, over all threads."""
    return time.process_time()
