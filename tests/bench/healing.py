"""The cost of watching many schedules, and the seconds to restore all. SQLite, one recorder.

python -m tests.bench.healing REDIS_URL [SCHEDULES]

The server must be a throw-away one: all data is deleted. The aims, with 10,000: less than 1 % of a
processor for watching, and all schedules restored within 5 seconds.
"""

import logging
import sys
from collections.abc import Callable
from datetime import timedelta
from time import perf_counter, process_time
from uuid import uuid4

import click

from scheduler.clock import utc_now
from scheduler.events.schema import FIELD, encode
from scheduler.healing.loop import EVERY
from scheduler.history.recording.recorder import Recorder
from scheduler.schedules import changes
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.bench.figures import machine
from tests.bench.throw_away import throw_away_services
from tests.support.builders import a_saved_event, a_schedule, cron, every


def fill(services: Services, count: int) -> None:
    """Store `count` schedules, half of them crontabs, in Redis and on the way to the history."""
    now = utc_now() - timedelta(hours=1)
    with services.redis.pipeline(transaction=False) as pipe:
        for number in range(count):
            when = (
                every(3600, now)
                if number % 2
                else cron(f"{number % 60} {number % 24} * * *", "Europe/Berlin")
            )
            schedule = a_schedule(
                f"job-{number:05}",
                uid=str(uuid4()),
                when=when,
                updated_at=now,
                kwargs={"days": number},
            )
            change = changes.written(schedule, None, None, now, a_saved_event(schedule, now))
            fields = {
                "definition": change.raw.definition,
                "meta": change.raw.meta,
                "beatdesk": change.raw.extra,
            }
            pipe.hset(keys.entry(schedule.name), mapping=fields)
            pipe.zadd(keys.SCHEDULE_ZSET, {keys.entry(schedule.name): change.score})
            pipe.xadd(keys.EVENTS_STREAM, {FIELD: encode(change.event)[FIELD]})
        pipe.execute()


def measured(services: Services, what: str, work: Callable[[], object], times: int = 1) -> None:
    """Run `work`, and print the time and cost."""

    def served() -> float:
        cpu = services.redis.info("cpu")
        return float(cpu["used_cpu_user"] + cpu["used_cpu_sys"])

    began, busy, server = perf_counter(), process_time(), served()
    for _ in range(times):
        work()
    seconds, own, theirs = (
        (after - before) / times
        for after, before in ((perf_counter(), began), (process_time(), busy), (served(), server))
    )
    share = f", {(own + theirs) / EVERY:.1%} of a processor" if times > 1 else ""
    click.echo(
        f"{what:<28}{seconds * 1000:8.0f} ms, ours {own * 1000:.0f} ms, server "
        f"{theirs * 1000:.0f} ms{share}"
    )


def main(redis_url: str, schedules: str = "10000") -> None:
    """Watch, delete all schedules, restore; print the times."""
    logging.disable(logging.CRITICAL)
    with throw_away_services(redis_url) as services:
        click.echo(f"{machine()}; {schedules} schedules")
        fill(services, int(schedules))
        recorder = Recorder(services.events, services.engine, services.redis, 1000, "bench")
        while recorder.run_once(utc_now()):
            pass
        healer = services.healer()
        measured(services, "first look", lambda: healer.run_once(utc_now()))
        measured(services, "look at what is well", lambda: healer.run_once(utc_now()), times=20)
        measured(services, "answer to Beat", lambda: healer.remind(utc_now()))
        services.redis.flushall()
        measured(services, "everything put back", lambda: healer.run_once(utc_now()))


if __name__ == "__main__":
    main(*sys.argv[1:])
