"""The events of one UID as a series of instances: moved, cancelled, added, left out. Pure.

RFC 5545, sections 3.8.4.4 and 3.8.5. The algorithm:
1. Of the events without RECURRENCE-ID, those with the highest SEQUENCE are the series; older
   revisions are left out (3.8.7.4). Files written by hand give one UID to many events: all events
   of the same SEQUENCE count, and repeated events, as in two exports joined, count once.
2. Each RRULE becomes dates, from 1970 up to the day given by the caller. Explicit dates are not
   cut off.
3. Each event with RECURRENCE-ID goes to the first event of the series with such an instance; in a
   file without an event for the series, the changed instances stand alone.
4. The library finds the event that describes each instance; cancelled instances fall out.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, tzinfo
from typing import NamedTuple

from pydantic import ValidationError

from scheduler.rules.calendars.exclusions import Days, Span
from scheduler.rules.calendars.ical import library
from scheduler.rules.calendars.ical.events import DAY, Event, Length
from scheduler.rules.calendars.ical.rules import FIRST_DAY, BadEvent, Budget, rule_starts

MAX_SPLITS = 100
"""Most events of one series with RANGE=THISANDFUTURE."""


@dataclass(frozen=True)
class LeftOut:
    """An event left out of the calendar: the line of its BEGIN, its title, and the reason."""

    line: int
    title: str
    reason: str


@dataclass
class _Main:
    """An event without RECURRENCE-ID, with the instances from its rules."""

    event: Event
    zone: tzinfo
    """The zone of DTSTART; the calendar's zone for whole days."""

    starts: list[date] = field(default_factory=list)
    excluded: list[date] = field(default_factory=list)
    is_missing: bool = False
    """Whether `event` only changes an instance, in a file without an event for the series itself.
    """

    def local(self, moment: date) -> date:
        """Return a moment in the terms of the series: a day, or a wall time of the series' zone.

        Some programs write a day in place of a time, or a time in place of a day. A day means the
        instance on the day. A local time means the day as written; a time in UTC the day in the
        calendar's zone.
        """
        start = self.event.start
        if not isinstance(start, datetime):
            if not isinstance(moment, datetime):
                return moment
            return (moment.astimezone(self.zone) if moment.tzinfo is UTC else moment).date()
        if not isinstance(moment, datetime):
            return datetime.combine(moment, start.time())
        return moment.astimezone(self.zone).replace(tzinfo=None, fold=0)

    def moment(self, local: date) -> date:
        """Return a day unchanged, and a wall time as an aware moment of the series' zone."""
        return local.replace(tzinfo=self.zone) if isinstance(local, datetime) else local


class _Moment(NamedTuple):
    """An instance: the describing event, the start, and the length."""

    event: Event
    start: date
    length: Length


class Expansion:
    """Expander of events into days and spans; collects the events left out."""

    def __init__(self, zone: tzinfo, until: date, budget: Budget) -> None:
        """Rules are expanded up to the day `until`; `zone` is the calendar's."""
        self._zone = zone
        self._until = datetime.combine(until, time(23, 59, 59))
        self._budget = budget
        self.left_out: list[LeftOut] = []

    def leave_out(self, line: int, title: str, reason: str) -> None:
        """Record an event, beginning on `line`, as left out of the calendar."""
        self.left_out.append(LeftOut(line, title, reason))

    def _leave_out(self, event: Event, reason: str) -> None:
        self.leave_out(event.line, event.title, reason)

    def instances(self, events: Sequence[Event]) -> Iterator[tuple[Event, Days | Span]]:
        """Yield the excluded days and spans of one UID, each with the event, without repetition."""
        revisions = [event for event in events if event.recurrence_id is None]
        newest = max((event.sequence for event in revisions), default=0)
        mains: list[_Main] = []
        contents: set[tuple[object, ...]] = set()
        for event in revisions:
            if event.sequence < newest:
                self._leave_out(event, f"the file has a newer revision of it, SEQUENCE:{newest}")
            elif not event.is_cancelled and _content(event) not in contents:
                contents.add(_content(event))
                mains += self._main(event)
        changes = [event for event in events if event.recurrence_id is not None]
        found_before: set[Days | Span] = set()
        for main, own in _with_changes(mains, changes, self._zone):
            for event, found in self._set(main, own):
                if found not in found_before:
                    found_before.add(found)
                    yield event, found

    def _main(self, event: Event) -> Iterator[_Main]:
        """Yield the event with the instances from its rules; nothing for an unreadable rule."""
        zone = event.start.tzinfo if isinstance(event.start, datetime) else self._zone
        main = _Main(event, zone or self._zone)
        try:
            for rules, made in ((event.rules, main.starts), (event.rules_out, main.excluded)):
                for rule in rules:
                    made.extend(self._expand(rule, main))
        except BadEvent as error:
            self._leave_out(event, str(error))
            return
        main.starts += [main.local(moment) for moment in event.dates]
        for moment in event.dates_out:
            is_day = not isinstance(moment, datetime)
            main.excluded.append(moment if is_day else main.local(moment))
        yield main

    def _expand(self, rule: str, main: _Main) -> Iterator[date]:
        """Yield the instances of a rule."""
        start = main.event.start
        is_timed = isinstance(start, datetime)
        day = date(start.year, start.month, start.day)
        clock = start.time() if isinstance(start, datetime) else time()
        wall = datetime.combine(day, clock)
        for found in rule_starts(rule, wall, main.zone, self._until):
            self._budget.spend(main.event.line)
            yield found if is_timed else found.date()

    def _set(self, main: _Main, changes: Sequence[Event]) -> Iterator[tuple[Event, Days | Span]]:
        """Yield the days and spans of one series. Instances before 1970 exclude no tick."""
        moments = list(self._moments(main, changes))
        coming = [moment for moment in moments if moment.start.year >= FIRST_DAY.year]
        if moments and not coming:
            self._leave_out(main.event, f"it lies before {FIRST_DAY.year}, when schedules begin")
        for event, start, length in coming:
            try:
                yield event, _excluded(start, length, event.title)
            except ValidationError:
                self._leave_out(event, "the event ends before it begins")
                return
            except OverflowError:
                self._leave_out(event, "the event ends after the year 9999")
                return

    def _moments(self, main: _Main, changes: Sequence[Event]) -> Iterator[_Moment]:
        """Yield the instances of one series, without the cancelled ones."""
        if not (changes or main.starts or main.excluded):
            yield _Moment(main.event, main.event.start, main.event.length)
            return
        if not (changes or main.excluded) and len(set(main.starts)) > self._budget.limit:
            self._budget.refuse(main.event.line)
        if sum(event.this_and_future for event in changes) > MAX_SPLITS:
            self._leave_out(main.event, f"more than {MAX_SPLITS} changes are of the later ones too")
            return
        changes = list(self._without_stale(main, changes))
        events = [*changes] if main.is_missing else [main.event, *changes]
        given = [_for_library(main, event) for event in events]
        lengths = {main.local(moment): length for moment, length in main.event.lengths.items()}
        try:
            found = library.instances(given)
        except OverflowError:
            self._leave_out(main.event, "an instance is moved too far from its place")
            return
        for instance in found:
            event = events[instance.event]
            if event.is_cancelled:
                continue
            is_own = instance.start == given[instance.event].start
            start = event.start if is_own else main.moment(instance.start)
            period = lengths.get(instance.start) if event is main.event else None
            yield _Moment(event, start, period or event.length)

    def _without_stale(self, main: _Main, changes: Sequence[Event]) -> Iterator[Event]:
        """Yield the changes, without leftovers of older revisions.

        After the split of a series some programs leave an event behind for a lost instance, with
        separate rules and a lower SEQUENCE.
        """
        present = {main.local(main.event.start), *main.starts}
        for event in changes:
            is_older = bool(event.rules) and event.sequence < main.event.sequence
            identifier = main.local(event.recurrence_id or event.start)
            if is_older and not main.is_missing and identifier not in present:
                self._leave_out(event, "the series, a newer revision, has no such instance")
            else:
                yield event


def by_uid(events: Iterable[Event]) -> list[list[Event]]:
    """Return the events grouped by UID, in the file's order; events without a UID stand alone."""
    groups: dict[str | int, list[Event]] = {}
    for event in events:
        groups.setdefault(event.line if event.uid is None else event.uid, []).append(event)
    return list(groups.values())


def _content(event: Event) -> tuple[object, ...]:
    """Return the content of an event apart from its line in the file, for comparison."""
    when = (event.start, event.length, event.dates, event.dates_out, *event.lengths.items())
    return (event.title, event.rules, event.rules_out, *when)


def _with_changes(
    mains: Sequence[_Main], changes: Sequence[Event], zone: tzinfo
) -> Iterator[tuple[_Main, list[Event]]]:
    """Yield each series with its changing events.

    In a file without an event for the series, the changed instances are a series by themselves.
    """
    if not mains:
        if changes:
            first = changes[0]
            own_zone = first.start.tzinfo if isinstance(first.start, datetime) else None
            yield _Main(first, own_zone or zone, is_missing=True), list(changes)
        return
    if len(mains) == 1:
        yield mains[0], list(changes)
        return
    owners: dict[date, int] = {}
    for place, main in enumerate(mains):
        for start in (main.local(main.event.start), *main.starts):
            owners.setdefault(_instant(main.moment(start)), place)
    own: list[list[Event]] = [[] for _ in mains]
    for event in changes:
        own[owners.get(_instant(event.recurrence_id or event.start), 0)].append(event)
    yield from zip(mains, own, strict=True)


def _instant(moment: date) -> date:
    """Return a key for comparing moments across zones."""
    return moment.astimezone(UTC) if isinstance(moment, datetime) else moment


def _for_library(main: _Main, event: Event) -> library.SeriesEvent:
    """Return the event in the terms of its series, for the library."""
    if event is main.event and not main.is_missing:
        start = main.local(event.start)
        return library.SeriesEvent(start, event.sequence, main.starts, main.excluded)
    identifier = main.local(event.recurrence_id or event.start)
    return library.SeriesEvent(
        main.local(event.start),
        event.sequence,
        recurrence_id=identifier,
        this_and_future=event.this_and_future,
    )


def _excluded(start: date, length: Length, title: str) -> Days | Span:
    """Return the day or span excluded by an instance. Raises ValidationError or OverflowError."""
    if not isinstance(start, datetime):
        return Days(first=start, last=start + max(length.days, DAY) - DAY, title=title)
    wall = start.replace(tzinfo=None, fold=0) + length.days
    moved = wall.replace(tzinfo=start.tzinfo) if length.days else start
    ends = moved.astimezone(UTC) + length.exact
    return Span(begins=start.astimezone(UTC), ends=ends, title=title)
