"""Seconds of an import of many schedules: YAML read, checked and saved, and again unchanged.

python -m tests.bench.import_of_schedules REDIS_URL [SCHEDULES]

The server must be a throw-away one, without schedules; the imported schedules stay there. The aim:
10,000 in 5 seconds.
"""

import sys
from time import perf_counter, process_time

from redis import Redis

from scheduler.catalogue.catalogue import Catalogue
from scheduler.catalogue.records import Job, Parameter, Worker
from scheduler.clock import utc_now
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import Spec
from scheduler.schedules.calendar_store import CalendarStore
from scheduler.schedules.store import ScheduleStore
from scheduler.sets import yaml_set
from scheduler.sets.apply import plan_text
from scheduler.sets.importing import of_plan, save
from scheduler.sets.yaml_set import ScheduleSet
from tests.support.builders import a_spec, cron, every

JOB = "reports.job_summary"


def some_specs(count: int) -> list[Spec]:
    """Return specs: for every interval two crontabs, each at another minute of the day."""
    return [
        a_spec(
            f"bench-{number:05}",
            when=every(60 + number)
            if number % 3 == 0
            else cron(f"{number % 60} {number // 60 % 24} * * {number % 7}"),
            kwargs={"days": number % 9 + 1},
            tags=["bench"],
        )
        for number in range(count)
    ]


def main(redis_url: str, schedules: str = "10000") -> None:
    """Import, twice, and print the seconds."""
    redis = Redis.from_url(redis_url, decode_responses=True)
    catalogue = Catalogue(redis)
    store, calendars = ScheduleStore(redis, catalogue), CalendarStore(redis)
    if store.names():
        sys.exit("there are schedules: give a throw-away server")
    now = utc_now()
    days = Parameter(name="days", required=False, annotation="int")
    catalogue.publish(
        [Job(name=JOB, parameters=[days])],
        Worker(name="w", pid=1, host="h", at=now, jobs=[JOB]),
        now,
    )
    text = yaml_set.write(ScheduleSet(some_specs(int(schedules))))
    for what in ("first import", "unchanged import"):
        began, busy = perf_counter(), process_time()
        report = of_plan(plan_text(text, store, calendars, catalogue, now), replace=False)
        save(report, store, edit=Edit(actor="bench", now=now))
        seconds, cpu = perf_counter() - began, process_time() - busy
        print(  # noqa: T201
            f"{what}: {len(report.taken)} schedules in {seconds:.2f} s ({cpu:.2f} s of them on the "
            "processor)"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
