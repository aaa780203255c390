"""RedBeat's rrules: what of ours they say exactly, and which of theirs are ours. Pure.

A Beat without this package computes them in UTC, so only rules whose zone is UTC are said; there
they are exact:

    ours                                RedBeat's
    a rrule                             the same parts, counted from the same start
    a one-off                           one daily occurrence at that moment
    L, 5L, mon#2 in a crontab           a monthly rule

What cannot be said (a zone with clocks that change, day_match `or`) is said as a rule that has
ended before it began: such a Beat loads it and never fires it, which is better than firing it at
another time.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from scheduler.errors import BeatdeskError
from scheduler.rules.model.spec import RruleWhen
from scheduler.rules.rrule import text as recurrence_text
from scheduler.rules.time.wall_times import Crontab

TYPE = "__type__"

_FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY")
"""By dateutil's numbers."""

_MONTHLY, _DAILY = 1, 3
_LISTS = {
    "bysetpos": "BYSETPOS",
    "bymonth": "BYMONTH",
    "bymonthday": "BYMONTHDAY",
    "byyearday": "BYYEARDAY",
    "byweekno": "BYWEEKNO",
    "byhour": "BYHOUR",
    "byminute": "BYMINUTE",
    "bysecond": "BYSECOND",
}
_KEYS = (
    "freq",
    "interval",
    "wkst",
    "count",
    "bysetpos",
    "bymonth",
    "bymonthday",
    "byyearday",
    "byeaster",
    "byweekno",
    "byweekday",
    "byhour",
    "byminute",
    "bysecond",
)
"""In the order in which RedBeat writes them."""

_MOST_WEEKS = 5


def of_rrule(when: RruleWhen) -> dict[str, Any]:
    """A rrule of ours as RedBeat's."""
    if when.timezone != "UTC":
        return never()
    rule = recurrence_text.parse(when)
    parts = recurrence_text.parts(when.rrule)
    lists = {
        key: [int(item) for item in parts[name].split(",")]
        for key, name in _LISTS.items()
        if name in parts
    }
    days = [_weekday_of(item) for item in parts["BYDAY"].split(",")] if "BYDAY" in parts else None
    return _rule(
        rule.start.replace(tzinfo=UTC),
        None if rule.until is None else rule.until.replace(tzinfo=UTC),
        freq=_FREQUENCIES.index(rule.frequency),
        interval=rule.interval,
        wkst=rule.week_start if "WKST" in parts else None,
        count=rule.count,
        byweekday=days,
        **lists,
    )


def of_once(at: datetime) -> dict[str, Any]:
    """One moment, to the second, as a rule that occurs once."""
    return _rule(at.astimezone(UTC), None, freq=_DAILY, interval=1, count=1)


def of_crontab(crontab: Crontab, since: datetime) -> dict[str, Any]:
    """Days counted from a month's end or by its weeks, in UTC, as a monthly rule from the month of
    `since` on.
    """
    on = crontab.on
    nth = [(day, -1) for day in sorted(on.last_weekdays)] + sorted(on.nth_weekdays)
    if nth:  # dateutil would ask for both kinds at once
        nth += [(day, which) for day in sorted(on.weekdays) for which in range(1, _MOST_WEEKS + 1)]
    dates = sorted(on.dates) + ([-1] if on.last_date else [])
    weekdays = sorted((day - 1) % 7 for day in on.weekdays)
    start = since.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return _rule(
        start,
        None,
        freq=_MONTHLY,
        interval=1,
        bymonth=sorted(crontab.months) if len(crontab.months) < 12 else None,
        bymonthday=dates if len(dates) < 31 else None,
        byweekday=[_weekday((day - 1) % 7, which) for day, which in nth]
        or (weekdays if len(weekdays) < 7 else None),
        byhour=list(crontab.hours),
        byminute=list(crontab.minutes),
        bysecond=[0],
    )


def never() -> dict[str, Any]:
    """A rule that ended before it began."""
    begin = datetime(2000, 1, 2, tzinfo=UTC)
    return _rule(begin, begin - timedelta(days=1), freq=_DAILY, interval=1)


def to_rrule(rule: Mapping[str, Any]) -> RruleWhen | None:
    """RedBeat's rrule as ours; none where only RedBeat can compute it."""
    if not set(rule) <= {TYPE, *_KEYS, "dtstart", "dtstart_tz", "until", "until_tz"}:
        return None
    start, text = rule.get("dtstart"), _text(rule)
    if text is None or not isinstance(start, int) or rule.get("dtstart_tz", 0) != 0:
        return None
    try:
        when = RruleWhen(rrule=text, dtstart=datetime.fromtimestamp(start, UTC))
        recurrence_text.parse(when)
    except (BeatdeskError, OverflowError, OSError, ValueError):
        return None
    return when


def _rule(start: datetime, until: datetime | None, **parts: Any) -> dict[str, Any]:
    """A rule with all the keys that RedBeat writes, in its order."""
    rule: dict[str, Any] = {TYPE: "rrule", **{key: parts.get(key) for key in _KEYS}}
    rule |= {"dtstart": int(start.timestamp()), "dtstart_tz": 0}
    return rule if until is None else rule | {"until": int(until.timestamp()), "until_tz": 0}


def _text(rule: Mapping[str, Any]) -> str | None:
    """The rule's parts as text; none where one of them has none."""
    frequency = rule.get("freq")
    if (
        isinstance(frequency, int)
        and not isinstance(frequency, bool)
        and 0 <= frequency < len(_FREQUENCIES)
    ):
        frequency = _FREQUENCIES[frequency]
    interval, count, until, first = (
        rule.get(key) for key in ("interval", "count", "until", "wkst")
    )
    if not isinstance(frequency, str) or rule.get("byeaster") is not None:
        return None
    if not all(value is None or _is_whole(value) for value in (interval, count, until, first)):
        return None
    parts = [f"FREQ={frequency.upper()}"]
    parts += [f"INTERVAL={interval}"] if interval not in (None, 1) else []
    parts += [f"COUNT={count}"] if count is not None else []
    if until is not None:
        try:
            parts.append(f"UNTIL={datetime.fromtimestamp(until, UTC):%Y%m%dT%H%M%SZ}")
        except (OverflowError, OSError, ValueError):
            return None
    if first is not None:
        if not 0 <= first < len(recurrence_text.DAYS):
            return None
        parts.append(f"WKST={recurrence_text.DAYS[first]}")
    lists = _list_parts(rule)
    return None if lists is None else ";".join(parts + lists)


def _list_parts(rule: Mapping[str, Any]) -> list[str] | None:
    """The BY… parts; none where a value is no list of numbers."""
    parts = []
    for key, name in _LISTS.items():
        values = _list(rule.get(key))
        if not all(map(_is_whole, values)):
            return None
        parts += [f"{name}={','.join(map(str, values))}"] if values else []
    days = [_day(value) for value in _list(rule.get("byweekday"))]
    if None in days:
        return None
    return parts + ([f"BYDAY={','.join(map(str, days))}"] if days else [])


def _list(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _day(value: Any) -> str | None:
    """A weekday as RedBeat writes one, as text."""
    which = ""
    if isinstance(value, dict):
        number = value.get("n")
        if value.get(TYPE) != "weekday" or not set(value) <= {TYPE, "wkday", "n"}:
            return None
        if number is not None and not (_is_whole(number) and number):
            return None
        which, value = "" if number is None else str(number), value.get("wkday")
    return which + recurrence_text.DAYS[value] if _is_whole(value) and 0 <= value <= 6 else None


def _weekday_of(item: str) -> Any:
    """`MO` as dateutil's number, `-1FR` as RedBeat's weekday."""
    number, day = item.strip()[:-2], recurrence_text.DAYS.index(item.strip()[-2:])
    return _weekday(day, int(number)) if number else day


def _weekday(day: int, which: int) -> dict[str, Any]:
    return {TYPE: "weekday", "wkday": day, "n": which}


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
