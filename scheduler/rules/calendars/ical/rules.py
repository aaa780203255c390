"""An RRULE of an iCalendar file, expanded to wall times. Pure.

RFC 5545, sections 3.3.10 and 3.8.5.3. The rule is read by `recurrence_text`, like a schedule's
rule, so both refuse equal rules with equal words: FREQ=SECONDLY, a COUNT above 10,000, a rule
without a tick.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import NoReturn

from scheduler.errors import BadExpression
from scheduler.rules.calendars.ical.lines import refuse
from scheduler.rules.model.spec import RruleWhen
from scheduler.rules.rrule import text as recurrence_text

FIRST_DAY = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall time
"""First day of a calendar: schedules begin in 1970."""

_UNTIL = re.compile(r"(?<=UNTIL=)\d{8}T\d{6}Z", re.ASCII)


class BadEvent(Exception):
    """The reason why an unreadable event is left out of the calendar."""


class Budget:
    """The number of dates still allowed to RRULE, RDATE and EXDATE of one file.

    Bounds the work on a file with events that exclude one another; the events in the result are
    counted separately.
    """

    def __init__(self, limit: int) -> None:
        """`limit` is the allowed number of events in a file; five dates are processed for each."""
        self.limit = limit
        self._left = 5 * limit

    def spend(self, line: int) -> None:
        """Count one date of the event on `line`. Raises Refused when the budget is spent."""
        self._left -= 1
        if self._left < 0:
            self.refuse(line)

    def refuse(self, line: int) -> NoReturn:
        """Raise Refused: the file has too many events."""
        refuse(
            line,
            f"there are more than {self.limit} events; export fewer, or end the recurring ones",
        )


def rule_starts(text: str, start: datetime, zone: tzinfo, until: datetime) -> Iterator[datetime]:
    """Yield the wall times of a rule from 1970 up to `until`, ascending.

    `start` is the DTSTART as a wall time of `zone`; `until` is a wall time. An UNTIL in UTC is
    converted to `zone` (3.3.10). Empty parts, as after a last semicolon, are skipped. Raises
    BadEvent.
    """
    in_zone = ";".join(part for part in text.upper().split(";") if part.strip())
    in_zone = _UNTIL.sub(lambda found: _local(found[0], zone), in_zone)
    begins = start.replace(microsecond=0, fold=0)
    try:
        when = RruleWhen(rrule=in_zone, dtstart=begins.replace(tzinfo=UTC))
        rule = recurrence_text.parse(when, first_year=1)
    except BadExpression as error:
        raise BadEvent(str(error)) from None
    count = rule.count
    uncounted = replace(rule, count=None)
    wall = uncounted.next_wall(begins if count is not None else max(begins, FIRST_DAY))
    while wall is not None and wall <= until and count != 0:
        if wall >= FIRST_DAY:
            yield wall
        count = count - 1 if count is not None else None
        wall = uncounted.next_wall(wall + uncounted.step)


def _local(until: str, zone: tzinfo) -> str:
    """Return an UNTIL in UTC as a wall time of the zone; any other text unchanged."""
    try:
        moment = datetime.strptime(until, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return f"{moment.astimezone(zone):%Y%m%dT%H%M%S}"
    except (ValueError, OverflowError):
        return until
