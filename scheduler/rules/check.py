"""Checks before a schedule or a calendar is saved. Every refusal names field, value and remedy.

Pure: no I/O, no clock. `catalogue.check_call` checks the job and the arguments against the
catalogue.
"""

import json
import math
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from scheduler.errors import BadArguments, BadExpression, BadName, Refused
from scheduler.rules.calendars import text as calendar_text
from scheduler.rules.calendars.exclusions import Calendar
from scheduler.rules.crontab import dialect
from scheduler.rules.model.fields import FieldType, fields_of
from scheduler.rules.model.spec import (
    CrontabWhen,
    IntervalWhen,
    OnceWhen,
    Policies,
    RedBeatWhen,
    RruleWhen,
    Spec,
    When,
    Window,
)
from scheduler.rules.policies.window import bounded_next_tick
from scheduler.rules.rrule import text as recurrence_text
from scheduler.rules.ticks import next_tick
from scheduler.rules.time import zones

CALENDAR_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
JOB = re.compile(r"[^\s:\x00-\x1f\x7f]{1,255}")
QUEUE = re.compile(r"[^\s\x00-\x1f\x7f]{1,200}")

MAX_DEPTH = 20
MAX_BYTES = 65_536
MAX_TAGS = 20
MAX_CALENDAR_BYTES = 1_000_000
"""Greatest size of a whole calendar as JSON, in characters."""

LONGEST = {row.name: row.about.max_length for row in fields_of("") if row.type is FieldType.TEXT}
_LENGTHS_OF_TIME = [
    row.name for row in fields_of("policies") if row.type is FieldType.LENGTH_OF_TIME
]
_MOMENTS = [row.name for row in fields_of("window") if row.type is FieldType.MOMENT]
LEAST_INTERVAL = 1.0
"""Shortest interval, in seconds."""

GREATEST_INTERVAL = 10 * 366 * 86400.0
"""Longest interval, in seconds: ten years."""

FIRST_YEAR = 1970
LAST_YEAR = 2200
GREATEST_TIME = 366 * 86400.0
"""Greatest time in a policy, in seconds: a year."""


def check_spec(spec: Spec, *, now: datetime) -> None:
    """Raise the first refusal (a Refused, or a subclass) of an invalid schedule."""
    check_name(spec.name)
    check_job(spec.job)
    check_when(spec.when, now=now)
    check_window(spec, now=now)
    check_policies(spec.policies)
    check_arguments(spec.args, spec.kwargs)
    check_queue(spec.queue)
    check_texts(spec)


@dataclass(frozen=True)
class CheckedSpec:
    """A Spec that passed the rules and the catalogue.

    An edit of the stored `revision`, or a new schedule where `revision` is None. The creator has
    done the checks; the store then only compares the revision with the stored one.
    """

    spec: Spec
    revision: int | None = None


def check_job(job: str) -> None:
    """Raise Refused unless `job` can be the name of a task."""
    if not JOB.fullmatch(job):
        raise Refused(
            f"the job {job!r} is not a task name; write it as in 'reports.job_summary'", field="job"
        )


def check_queue(queue: str | None) -> None:
    """Raise Refused unless a queue may be called `queue`; None is the job's own."""
    if queue is not None and not QUEUE.fullmatch(queue):
        raise Refused(
            f"the queue {queue!r} cannot be used; no blanks, at most 200 characters", field="queue"
        )


def check_name(name: str) -> None:
    """Raise BadName unless `name` is a valid schedule name.

    A colon is refused: an entry called `:lock` would overwrite Beat's own lock in Redis.
    """
    if NAME.fullmatch(name):
        return
    if not name:
        why = "a schedule needs a name"
    elif ":" in name:
        why = f"{name!r} has a colon, which RedBeat keeps for its own keys"
    elif len(name) > 200:
        why = f"the name has {len(name)} characters, 200 are allowed"
    else:
        why = f"{name!r} cannot be used"
    raise BadName(f"{why}; use letters, digits, '.', '_' and '-', beginning with a letter or digit")


def check_calendar(calendar: Calendar) -> None:
    """Raise the first refusal (a Refused, or a subclass) of an exclusion calendar."""
    if not CALENDAR_NAME.fullmatch(calendar.name):
        raise BadName(
            f"{calendar.name[:80]!r} cannot be the name of a calendar; use up to 100 letters, "
            "digits, '.', '_' and '-', beginning with a letter or digit"
        )
    zones.zone(calendar.timezone)
    parts = len(calendar.days) + len(calendar.spans) + len(calendar.weekly)
    if parts > calendar_text.MAX_LINES:
        raise Refused(
            f"the calendar {calendar.name!r} has {parts} entries, {calendar_text.MAX_LINES} are "
            "allowed; leave out past years",
            field="excluded",
        )
    if len(calendar.description) > LONGEST["description"]:
        raise Refused(
            f"description has {len(calendar.description)} characters, {LONGEST['description']} "
            "are allowed; shorten it",
            field="description",
        )
    _check_text("description", calendar.description)
    for titles in (calendar.days, calendar.spans, calendar.weekly):
        _check_text("excluded", "".join(part.title for part in titles))
    size = len(calendar.model_dump_json())
    if size > MAX_CALENDAR_BYTES:
        raise Refused(
            f"the calendar {calendar.name!r} has {size} bytes, {MAX_CALENDAR_BYTES} are allowed; "
            "shorten its titles",
            field="excluded",
        )


def check_calendar_exists(window: Window, old: Window | None, calendars: Collection[str]) -> None:
    """Raise Refused for a calendar in `window` missing from `calendars`.

    A name already in the saved window `old` is accepted: a calendar may be deleted before its
    schedules change, and an unrelated edit of a schedule must not be refused.
    """
    name = window.calendar
    if name is None or name in calendars or (old is not None and old.calendar == name):
        return
    names = f"there are {', '.join(sorted(calendars)[:20])}" if calendars else "there is none yet"
    raise Refused(
        f"calendar {name[:80]!r} is unknown; {names}; `beatdesk calendars set` makes one, `none` "
        "takes it away",
        field="calendar",
    )


def check_when(when: When, *, now: datetime) -> None:
    """Raise BadExpression or UnknownZone unless `when` is readable and fires after `now`."""
    if isinstance(when, IntervalWhen):
        _check_interval(when)
    elif isinstance(when, CrontabWhen):
        _check_crontab(when, now)
    elif isinstance(when, OnceWhen):
        _check_once(when, now)
    elif isinstance(when, RruleWhen):
        recurrence_text.parse(when)
        if next_tick(when, now) is None:
            raise BadExpression(
                f"{when.rrule[:80]!r} does not fire any more; choose a later UNTIL, a greater "
                "COUNT or other days",
                field="rrule",
            )
    else:
        raise BadExpression(
            f"a RedBeat schedule of type {when.schedule.get('__type__')!r} is shown and run but "
            "not edited by this version; choose crontab or interval to replace it",
            field="when",
        )


def _check_crontab(when: CrontabWhen, now: datetime) -> None:
    """Refuse an unreadable crontab, an `H` without a possible place, or a rule that never fires."""
    some_place = dialect.resolve(when.crontab, "")
    has_place = when.resolved is not None or some_place == when.crontab
    placed = when if has_place else when.model_copy(update={"resolved": some_place})
    zones.zone(when.timezone)
    if next_tick(placed, now) is None:
        raise BadExpression(
            f"{when.crontab!r} in {when.timezone} does not fire in the next fifty years; choose "
            "other days, or let a time that the clock skips be shifted",
            field="crontab",
        )


def _check_once(when: OnceWhen, now: datetime) -> None:
    """Refuse a one-off in the past or after the last year."""
    if when.at <= now:
        raise BadExpression(f"{when.at.isoformat()} has passed; choose a later time", field="at")
    if when.at.year > LAST_YEAR:
        raise BadExpression(
            f"{when.at.isoformat()} is too far away; years to {LAST_YEAR} are allowed", field="at"
        )


def check_window(spec: Spec, *, now: datetime) -> None:
    """Raise Refused for a window with impossible bounds, or without a tick after `now`."""
    window = spec.window
    for field in _MOMENTS:
        at = getattr(window, field)
        if at is not None and not FIRST_YEAR <= at.astimezone(UTC).year <= LAST_YEAR:
            raise Refused(
                f"{field} {at.isoformat()} is too far away; {FIRST_YEAR} to {LAST_YEAR} are "
                "allowed",
                field=field,
            )
    if (
        window.starts_at is not None
        and window.ends_at is not None
        and window.starts_at >= window.ends_at
    ):
        raise Refused(
            f"ends_at {window.ends_at.isoformat()} is not after starts_at "
            f"{window.starts_at.isoformat()}; choose a later end or an earlier start",
            field="ends_at",
        )
    if window == Window() or isinstance(spec.when, RedBeatWhen):
        return
    if bounded_next_tick(_placed(spec, now), now) is None:
        bound = "ends_at" if window.ends_at is not None else "starts_at"
        raise Refused(
            f"no tick is left between starts_at and ends_at; choose a later {bound} or other times",
            field=bound,
        )


def check_policies(policies: Policies) -> None:
    """Raise Refused for a policy with a length of time beyond a year."""
    for field in _LENGTHS_OF_TIME:
        seconds = getattr(policies, field)
        if seconds is not None and not (math.isfinite(seconds) and seconds <= GREATEST_TIME):
            raise Refused(
                f"{field} {seconds:g} is too long; at most {GREATEST_TIME:.0f} seconds (a year)",
                field=field,
            )


def _placed(spec: Spec, now: datetime) -> Spec:
    """Return `spec` with the fields filled in by saving: places of `H`, anchor of an interval."""
    when = spec.when
    if isinstance(when, CrontabWhen):
        when = dialect.settle(when, "")
    elif isinstance(when, IntervalWhen) and when.anchor is None:
        when = when.model_copy(update={"anchor": now})
    return spec.model_copy(update={"when": when})


def check_arguments(args: list[Any], kwargs: dict[str, Any]) -> None:
    """Raise BadArguments for arguments unfit for Beat, the broker or the history.

    At most `MAX_BYTES` of JSON each and `MAX_DEPTH` levels; no `__type__` key, no infinite number,
    no NUL, no half of a surrogate pair.
    """
    for field, value in (("args", args), ("kwargs", kwargs)):
        for depth, item in _walk(value):
            _check_item(field, depth, item)
        size = len(json.dumps(value).encode())
        if size > MAX_BYTES:
            raise BadArguments(
                f"{field} has {size} bytes as JSON, {MAX_BYTES} are allowed; store the data and "
                "pass its name",
                field=field,
            )


def _check_interval(when: IntervalWhen) -> None:
    """Refuse a length of less than a second or more than ten years, or an anchor far away."""
    if not (math.isfinite(when.every) and LEAST_INTERVAL <= when.every <= GREATEST_INTERVAL):
        raise BadExpression(
            f"an interval of {when.every:g} seconds cannot be used; {LEAST_INTERVAL:g} to "
            f"{GREATEST_INTERVAL:.0f} seconds (ten years) are allowed",
            field="every",
        )
    if when.anchor is not None and not 1970 <= when.anchor.astimezone(UTC).year <= 2200:
        raise BadExpression(
            f"the anchor {when.anchor} is too far away; 1970 to 2200 are allowed", field="anchor"
        )


def _check_item(field: str, depth: int, item: Any) -> None:
    """Refuse a single value of the arguments, found at `depth`."""
    if depth > MAX_DEPTH:
        raise BadArguments(
            f"{field} is nested deeper than {MAX_DEPTH} levels; flatten it", field=field
        )
    if isinstance(item, dict) and "__type__" in item:
        raise BadArguments(
            f"{field} has the key '__type__', which RedBeat takes for one of its own objects; use "
            "another key",
            field=field,
        )
    if isinstance(item, float) and not math.isfinite(item):
        raise BadArguments(
            f"{field} has the number {item}, which JSON cannot carry; use null or a text",
            field=field,
        )
    if isinstance(item, str):
        _check_text(field, item)


def _walk(value: Any) -> Iterator[tuple[int, Any]]:
    """Yield (depth, value) for every value and key. Not recursive: deep input cannot overflow."""
    waiting: list[tuple[int, Any]] = [(0, value)]
    while waiting:
        depth, item = waiting.pop()
        yield depth, item
        if isinstance(item, dict):
            waiting += [(depth + 1, key) for key in item]
            waiting += [(depth + 1, inner) for inner in item.values()]
        elif isinstance(item, list | tuple):
            waiting += [(depth + 1, inner) for inner in item]


def check_texts(spec: Spec) -> None:
    """Raise Refused for a text or a tag that is too long or cannot be stored."""
    for field, longest in LONGEST.items():
        text = getattr(spec, field) or ""
        if len(text) > longest:
            raise Refused(
                f"{field} has {len(text)} characters, {longest} are allowed; shorten it",
                field=field,
            )
        _check_text(field, text)
    if len(spec.tags) > MAX_TAGS:
        raise Refused(f"{len(spec.tags)} tags are too many; {MAX_TAGS} are allowed", field="tags")
    for tag in spec.tags:
        if not tag.strip() or len(tag) > 50 or "," in tag or tag != tag.strip():
            raise Refused(
                f"the tag {tag[:60]!r} cannot be used; 1 to 50 characters, no comma", field="tags"
            )
        _check_text("tags", tag)


def _check_text(field: str, text: str) -> None:
    """Refuse NUL (PostgreSQL cannot store it) and half of a surrogate pair (not UTF-8)."""
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise Refused(
            f"{field} has a character that cannot be stored (NUL or half a surrogate); remove it",
            field=field,
        )
