"""The next tick: Beatdesk beside cronsim, croniter, Celery's crontab and dateutil, in one run.

Every question is "the first tick after this moment", over the same moments. Expressions are parsed
before the clock runs. Aim: 20 µs on average for a crontab, and no question over 1 ms.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import click
from celery import Celery
from celery.schedules import crontab
from croniter import croniter
from cronsim import CronSim
from dateutil.rrule import rrulestr

from scheduler.rules.model.spec import CrontabWhen, RruleWhen, When
from scheduler.rules.ticks import next_tick
from tests.bench.figures import Timing, machine, ratio, shown, table, time_each, versions

MOMENTS = 400
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
START = datetime(2020, 1, 1, 9, 30, tzinfo=UTC)
BERLIN = "Europe/Berlin"

CRONTABS = (
    "* * * * *",
    "*/5 * * * *",
    "0 6 * * mon-fri",
    "30 2 * * *",
    "0 0 1 1 *",
    "0 0 29 2 *",
    "0 0 29 2 mon",
)
BOTH_DAYS = {"0 0 29 2 mon"}
"""Expressions with two day fields, read by cronsim as by cron: a different question here."""

WIDER = ("0 0 L * *", "0 0 * * 5L", "0 9 * * mon#2")
RRULES = (
    "FREQ=DAILY",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO",
    "FREQ=MINUTELY;INTERVAL=7",
    "FREQ=MINUTELY;INTERVAL=1439;BYHOUR=3;BYMINUTE=7",
)


def moments() -> list[datetime]:
    """Return the same moments in every run."""
    dice = Random(1)  # noqa: S311 - a sample, not a secret
    return [BEGIN + timedelta(seconds=dice.randrange(6 * 366 * 86400)) for _ in range(MOMENTS)]


def our_timing(when: When) -> Timing:
    """Time Beatdesk."""
    return time_each([lambda moment=moment: next_tick(when, moment) for moment in moments()])  # type: ignore[misc]


def theirs(make: Callable[[datetime], Callable[[], object]], n: int = MOMENTS) -> Timing | None:
    """Time another implementation; None on an error."""
    try:
        return time_each([make(moment) for moment in moments()[:n]], repeats=3)
    except Exception as error:  # noqa: BLE001 - each implementation has errors of its own
        click.echo(f"gives up: {type(error).__name__}: {error}", err=True)
        return None


def by_cronsim(text: str, zone: str) -> Timing | None:
    """Time cronsim, with a copy of the iterator for each question; the copying is not counted.

    An iterator of cronsim cannot be set back.
    """

    def make(moment: datetime) -> Callable[[], object]:
        waiting = [CronSim(text, moment.astimezone(ZoneInfo(zone))) for _ in range(4)]
        return lambda: next(waiting.pop())

    return theirs(make)


def by_croniter(text: str, zone: str) -> Timing | None:
    """Time croniter, with one iterator set to each moment."""
    found = croniter(text, BEGIN, day_or=False, ret_type=datetime)

    def make(moment: datetime) -> Callable[[], object]:
        local = moment.astimezone(ZoneInfo(zone))
        return lambda: found.get_next(datetime, start_time=local)

    return theirs(make)


def by_celery(text: str) -> Timing | None:
    """Time Celery's own schedule in UTC, by the remaining seconds until the next tick."""
    minute, hour, day_of_month, month_of_year, day_of_week = text.split()
    app = Celery(set_as_current=False, timezone="UTC", enable_utc=True)

    def make(moment: datetime) -> Callable[[], object]:
        rule = crontab(
            minute, hour, day_of_week, day_of_month, month_of_year, nowfun=lambda: moment, app=app
        )
        return lambda: rule.remaining_estimate(moment)

    return theirs(make)


def by_dateutil(text: str) -> Timing | None:
    """Time dateutil, with fewer questions: dateutil expands a rule from its start."""
    found = rrulestr(text, dtstart=START.replace(tzinfo=None))
    return theirs(lambda moment: lambda: found.after(moment.replace(tzinfo=None)), n=10)


def crontab_rows() -> list[list[str]]:
    """Return a row for each expression, in UTC and in a zone with clock changes."""
    rows = []
    for zone in ("UTC", BERLIN):
        for text in (*CRONTABS, *WIDER):
            mine = our_timing(CrontabWhen(crontab=text, timezone=zone))
            shared = text in CRONTABS
            rows.append(
                [
                    f"{text}  {zone}",
                    shown(mine.mean),
                    shown(mine.worst),
                    ratio(by_cronsim(text, zone), mine)
                    if shared and text not in BOTH_DAYS
                    else "-",
                    ratio(by_croniter(text, zone), mine) if shared else "-",
                    ratio(by_celery(text), mine) if shared and zone == "UTC" else "-",
                ]
            )
    return rows


def rrule_rows() -> list[list[str]]:
    """Return rows for rules that began years before the question."""
    rows = []
    for zone in ("UTC", BERLIN):
        for text in RRULES:
            mine = our_timing(RruleWhen(rrule=text, dtstart=START, timezone=zone))
            other = ratio(by_dateutil(text), mine) if zone == "UTC" else "-"
            rows.append([f"{text}  {zone}", shown(mine.mean), shown(mine.worst), other])
    return rows


def main() -> None:
    """Print both tables."""
    click.echo(machine())
    click.echo(versions("cronsim", "croniter", "celery", "python-dateutil"))
    table(
        "next tick of a crontab",
        ["expression", "mean", "worst", "cronsim", "croniter", "Celery"],
        crontab_rows(),
    )
    table("next tick of a rrule", ["rule", "mean", "worst", "dateutil"], rrule_rows())


if __name__ == "__main__":
    main()
