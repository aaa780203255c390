"""The cost of the ledger's watcher with many schedules. SQLite, one recorder.

python -m tests.bench.ledger_watch REDIS_URL [SCHEDULES] [MINUTES]

The server must be a throw-away one: all data is deleted. A tenth of the schedules is due each
minute, the others each hour; a fifth is switched off. The aim, with 10,000 schedules: at most 1 %
of a processor for looks at the ledger, at who is there and at failing workflows.
"""

import logging
import sys
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from time import process_time

import click

from scheduler.catalogue.records import Job, Parameter, Worker
from scheduler.clock import utc_now
from scheduler.events.schema import RunQueued, run_event
from scheduler.ledger.failing_trees import FailingTrees
from scheduler.ledger.loop import EVERY
from scheduler.redbeat import codec
from scheduler.redbeat.codec import Meta
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.identity import run_id
from scheduler.rules.model.spec import Schedule, Spec
from scheduler.schedules.batch import DesiredSchedule
from scheduler.services import watches
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.bench.figures import machine
from tests.bench.throw_away import throw_away_services
from tests.support.builders import JOB, a_spec, cron, facts_of
from tests.support.history.recording import record

AT_ONCE = 500


def fill(services: Services, count: int, now: datetime) -> list[Schedule]:
    """Make the schedules."""
    offered = Job(name=JOB, parameters=[Parameter(name="days", required=False, annotation="int")])
    worker = Worker(name="w", pid=1, host="h", at=now, jobs=[JOB], queues=["default"])
    services.catalogue.publish([offered], worker, now)
    made: list[Schedule] = []
    for begin in range(0, count, AT_ONCE):
        wishes = [
            DesiredSchedule(f"s{number}", spec_of(number), None, is_checked=True)
            for number in range(begin, min(begin + AT_ONCE, count))
        ]
        edit = Edit(actor="bench", now=now - timedelta(seconds=30))
        made += services.schedules.save_together(wishes, edit=edit)
    return made


def spec_of(number: int) -> Spec:
    """The input for the schedule with this number."""
    rule = "* * * * *" if number % 10 == 0 else f"{number % 60} * * * *"
    return a_spec(f"s{number}", when=cron(rule), enabled=number % 5 != 1)


def send(services: Services, schedules: Sequence[Schedule], tick: datetime) -> None:
    """Send what is due, as Beat does: the entry moves on, and the run is queued."""
    events = []
    with services.redis.pipeline(transaction=False) as pipe:
        for number, schedule in enumerate(schedules):
            if not schedule.enabled or not (number % 10 == 0 or number % 60 == tick.minute):
                continue
            run = run_id(schedule.uid, tick)
            facts = facts_of(schedule, tick)
            events.append(run_event(RunQueued, run, 1, tick, facts=facts))
            entry = keys.entry(schedule.name)
            pipe.hset(entry, keys.META_FIELD, codec.encode_meta(Meta(tick, 1)))
            pipe.zadd(keys.SCHEDULE_ZSET, {entry: tick.timestamp() + 60})
        pipe.execute()
    record(services, *events)


def main(url: str, count: int, minutes: int) -> None:
    """Fill, look for so many minutes of a clock of its own, and print the figures."""
    logging.disable(logging.WARNING)
    with throw_away_services(url) as services:
        begin = utc_now().replace(second=0, microsecond=0)
        schedules = fill(services, count, begin)
        record(services)
        services.redis.set(keys.BEAT_LOCK, "bench")
        seconds = spent(services, schedules, begin, minutes)
    looks = sum(seconds)
    click.echo(machine())
    click.echo(
        f"{count} schedules, {minutes} minutes, {len(seconds)} looks: {looks / len(seconds):.3f} s "
        f"of CPU a look, at most {max(seconds):.3f} s; {looks / minutes / 60:.2%} of a processor"
    )


def spent(
    services: Services, schedules: Sequence[Schedule], begin: datetime, minutes: int
) -> list[float]:
    """The processor seconds of each look."""
    watcher = watches.ledger_watcher(services)
    surroundings = watches.surroundings_watch(services)
    failing = FailingTrees(services.history, services.schedules, services.operations)
    stop = threading.Event()
    seconds: list[float] = []
    for step in range(int(minutes * 60 / EVERY)):
        now = begin + step * timedelta(seconds=EVERY)
        if now.second == 0 and step:
            send(services, schedules, now)
        else:
            record(services)
        before = process_time()
        surroundings.look(now)
        watcher.run_once(now, stop)
        failing.look(now)
        seconds.append(process_time() - before)
    return seconds


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if not 1 <= len(arguments) <= 3:
        sys.exit(__doc__)
    main(
        arguments[0],
        int(arguments[1]) if len(arguments) > 1 else 10_000,
        int(arguments[2]) if len(arguments) > 2 else 30,
    )
