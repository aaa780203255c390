"""Preview of an edited per-minute schedule: the changes over thirty days. Aim: 100 ms."""

from datetime import UTC, datetime, timedelta

import click

from scheduler.rules.explain.what_if import compare
from scheduler.rules.model.spec import CrontabWhen, IntervalWhen, Spec
from tests.bench.figures import machine, shown, table, time_each

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
BEFORE = CrontabWhen(crontab="* * * * *", timezone="Europe/Berlin")
AFTER = (
    CrontabWhen(crontab="* * * * *", timezone="Europe/Berlin"),
    CrontabWhen(crontab="*/2 * * * *", timezone="Europe/Berlin"),
    CrontabWhen(crontab="* 8-17 * * mon-fri", timezone="Europe/Berlin"),
    CrontabWhen(crontab="* * * * *", timezone="America/New_York"),
    CrontabWhen(crontab="0 6 * * *", timezone="Europe/Berlin"),
)


def interval_row() -> list[str]:
    """Return the row for an edit from every minute to every 61 seconds: nearly all ticks move."""
    old = Spec(name="a", job="demo.job", when=IntervalWhen(every=60, anchor=NOW))
    new = old.model_copy(update={"when": IntervalWhen(every=61, anchor=NOW)})
    taken = time_each([lambda: compare(old, new, NOW, NOW + timedelta(days=30))])
    return ["every 60 s becomes every 61 s", shown(taken.mean), ""]


def main() -> None:
    """Print a row for each edit."""
    rows = []
    old = Spec(name="a", job="demo.job", when=BEFORE)
    for when in AFTER:
        new = old.model_copy(update={"when": when})
        taken = time_each([lambda: compare(old, new, NOW, NOW + timedelta(days=30))])  # noqa: B023 - run at once
        found = compare(old, new, NOW, NOW + timedelta(days=30))
        counts = (
            f"{len(found.gone)} go, {len(found.come)} come, {len(found.moved)} move, {found.same} "
            "stay"
        )
        rows.append([f"{when.crontab}  {when.timezone}", shown(taken.mean), counts])
    rows.append(interval_row())
    click.echo(machine())
    table("what-if of * * * * * over 30 days", ["becomes", "time", "difference"], rows)


if __name__ == "__main__":
    main()
