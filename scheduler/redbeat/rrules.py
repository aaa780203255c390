"""RedBeat's rrule JSON: the encoder of rules with an exact form in RedBeat, and the decoder. Pure.

A Beat without Beatdesk computes a rrule in UTC, so only rules in UTC are encoded exactly:

    rule                                RedBeat's rrule
    a rrule                             equal parts, counted from an equal start
    a one-off                           a daily rule with a single occurrence
    L, 5L, mon#2 in a crontab           a monthly rule

Any other rule (in a zone with clock changes, with day_match `or`) is encoded as a rule that ended
before its start: a Beat without Beatdesk loads the entry and never fires, rather than at a wrong
time.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeGuard

from scheduler.errors import BeatdeskError
from scheduler.rules.model.spec import RruleWhen
from scheduler.rules.rrule import text as recurrence_text
from scheduler.rules.time.wall_times import Crontab

TYPE = "__type__"

_FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY")
"""In the order of dateutil's numbers (`dateutil.rrule.YEARLY` is 0)."""

_MONTHLY = 1
_DAILY = 3
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
"""The parts of a rule, in RedBeat's order."""

_MOST_WEEKS = 5


def of_rrule(when: RruleWhen) -> dict[str, Any]:
    """Return RedBeat's JSON of a rrule; outside UTC, of a rule without ticks.

    Raises BadExpression or UnknownZone.
    """
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
    """Return RedBeat's JSON of a one-off: a rule with a single occurrence, to the second."""
    return _rule(at.astimezone(UTC), None, freq=_DAILY, interval=1, count=1)


def of_crontab(crontab: Crontab, since: datetime) -> dict[str, Any]:
    """Return RedBeat's JSON of a crontab in UTC: a monthly rule from the month of `since` on.

    For crontabs with `L` or `#`, without a form in RedBeat's own crontab JSON.
    """
    on = crontab.on
    nth = [(day, -1) for day in sorted(on.last_weekdays)] + sorted(on.nth_weekdays)
    if nth:  # dateutil requires a day to match both kinds, so that plain days become nth days too
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
    """Return RedBeat's JSON of a rule without ticks: the end lies before the start."""
    begin = datetime(2000, 1, 2, tzinfo=UTC)
    return _rule(begin, begin - timedelta(days=1), freq=_DAILY, interval=1)


def to_rrule(rule: Mapping[str, Any]) -> RruleWhen | None:
    """Return the rrule of RedBeat's JSON; None for a rule computable by RedBeat alone."""
    if not set(rule) <= {TYPE, *_KEYS, "dtstart", "dtstart_tz", "until", "until_tz"}:
        return None
    start = rule.get("dtstart")
    text = _text(rule)
    if text is None or not isinstance(start, int) or rule.get("dtstart_tz", 0) != 0:
        return None
    try:
        when = RruleWhen(rrule=text, dtstart=datetime.fromtimestamp(start, UTC))
        recurrence_text.parse(when)
    except (BeatdeskError, OverflowError, OSError, ValueError):
        return None
    return when


def _rule(start: datetime, until: datetime | None, **parts: Any) -> dict[str, Any]:
    """A rule with all of RedBeat's keys, in RedBeat's order."""
    rule: dict[str, Any] = {TYPE: "rrule", **{key: parts.get(key) for key in _KEYS}}
    rule |= {"dtstart": int(start.timestamp()), "dtstart_tz": 0}
    return rule if until is None else rule | {"until": int(until.timestamp()), "until_tz": 0}


def _text(rule: Mapping[str, Any]) -> str | None:
    """The RRULE text of a rule; None for a rule with a part impossible in RRULE text."""
    frequency = rule.get("freq")
    if _is_whole(frequency) and 0 <= frequency < len(_FREQUENCIES):
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
    """The BY… parts; None where a value is not a list of numbers."""
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
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _day(value: Any) -> str | None:
    """The BYDAY text of a weekday in RedBeat's JSON (a number or an object); None for others."""
    which = ""
    if isinstance(value, dict):
        number = value.get("n")
        if value.get(TYPE) != "weekday" or not set(value) <= {TYPE, "wkday", "n"}:
            return None
        if number is not None and not (_is_whole(number) and number):
            return None
        which = "" if number is None else str(number)
        value = value.get("wkday")
    return which + recurrence_text.DAYS[value] if _is_whole(value) and 0 <= value <= 6 else None


def _weekday_of(item: str) -> Any:
    """`MO` as dateutil's number, `-1FR` as RedBeat's object."""
    number = item.strip()[:-2]
    day = recurrence_text.DAYS.index(item.strip()[-2:])
    return _weekday(day, int(number)) if number else day


def _weekday(day: int, which: int) -> dict[str, Any]:
    return {TYPE: "weekday", "wkday": day, "n": which}


def _is_whole(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
