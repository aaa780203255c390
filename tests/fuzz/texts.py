"""Feeds whatever atheris thinks of to everything that reads a text; only our own errors may come
back.

`python -m tests.fuzz.texts -max_total_time=60` (atheris is not among the locked packages; `make
fuzz` installs it).
"""

import sys
from datetime import UTC, date, datetime
from typing import Any

import atheris

with atheris.instrument_imports(include=["scheduler.rules", "celery.schedules"]):
    from scheduler.errors import BeatdeskError
    from scheduler.rules.calendars import icalendar
    from scheduler.rules.crontab import dialect, fields
    from scheduler.rules.explain.words import describe
    from scheduler.rules.model.spec import CrontabWhen, RruleWhen
    from scheduler.rules.rrule import text as recurrence_text
    from scheduler.rules.ticks import next_ticks
    from scheduler.rules.time import zones

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def read_crontab(text: str) -> None:
    """Parse, place, describe and compute an expression."""
    when = CrontabWhen(crontab=text, resolved=dialect.resolve(text, "a schedule"))
    describe(when)
    next_ticks(when, NOW, 3)


def read_rrule(text: str) -> None:
    """Parse, describe and compute a rule."""
    when = RruleWhen(rrule=text, dtstart=NOW, timezone="Europe/Berlin")
    describe(when)
    next_ticks(when, NOW, 3)


def read_icalendar(text: str) -> None:
    """Make a calendar of a file."""
    icalendar.read(text, name="c", until=date(2030, 1, 1))


READERS: tuple[Any, ...] = (
    read_crontab,
    fields.parse,
    read_rrule,
    recurrence_text.parts,
    read_icalendar,
    zones.zone,
)


def try_one(data: bytes) -> None:
    """One input: its first byte chooses the reader."""
    provider = atheris.FuzzedDataProvider(data)
    reader = READERS[provider.ConsumeIntInRange(0, len(READERS) - 1)]
    text = provider.ConsumeUnicodeNoSurrogates(400)
    try:
        reader(text)
    except BeatdeskError:
        return


def main() -> None:
    """Run until libFuzzer is told to stop, or something else than our own errors comes out."""
    atheris.Setup(sys.argv, try_one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
