"""A preview of ten ticks, with words and warnings, as in the editor. Aim: 1 ms."""

from datetime import UTC, datetime, timedelta

import click

from scheduler.rules.explain.preview import preview
from scheduler.rules.explain.words import describe
from scheduler.rules.model.spec import (
    CrontabWhen,
    IntervalWhen,
    OnceWhen,
    RruleWhen,
    When,
)
from tests.bench.figures import machine, shown, table, time_each

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ZONE = "Europe/Berlin"
WHENS: tuple[When, ...] = (
    CrontabWhen(crontab="* * * * *", timezone=ZONE),
    CrontabWhen(crontab="*/5 * * * *", timezone=ZONE),
    CrontabWhen(crontab="30 2 * * *", timezone=ZONE),
    CrontabWhen(crontab="0 0 13 * fri", timezone=ZONE),
    CrontabWhen(crontab="0 0 13 * fri", timezone=ZONE, day_match="or"),
    CrontabWhen(crontab="0 0 29 2 *", timezone=ZONE),
    CrontabWhen(crontab="H H * * 5L", timezone=ZONE),
    IntervalWhen(every=300),
    OnceWhen(at=NOW + timedelta(days=3)),
    RruleWhen(rrule="FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", dtstart=NOW, timezone=ZONE),
    RruleWhen(rrule="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", dtstart=NOW, timezone=ZONE),
)


def main() -> None:
    """Print a row for each schedule: mean and worst over a day's moments."""
    rows = []
    for when in WHENS:
        moments = [NOW + timedelta(minutes=7 * number) for number in range(100)]
        taken = time_each([lambda now=now: preview(when, now, 10) for now in moments], repeats=3)  # type: ignore[misc]  # noqa: B023
        rows.append(
            [
                describe(when) if "H " not in str(when) else "H H * * 5L",
                shown(taken.mean),
                shown(taken.worst),
            ]
        )
    click.echo(machine())
    table("preview of 10 ticks", ["schedule", "mean", "worst"], rows)


if __name__ == "__main__":
    main()
