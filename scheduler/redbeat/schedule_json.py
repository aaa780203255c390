"""The codec between a rule (`When`) and the schedule in RedBeat's definition. Pure.

Values without a form in RedBeat's format are stored in the extra field (`extra_field`). RedBeat's
JSON then decides for a Beat without Beatdesk: fire at equal times for exactly encoded rules, and
otherwise never fire. The exception is a crontab's zone: a Beat without Beatdesk ignores the zone,
and reads the hours in Celery's own zone, UTC.
"""

from datetime import UTC, datetime
from typing import Any

from scheduler.errors import BadExpression, BeatdeskError, UnreadableEntry
from scheduler.redbeat import rrules
from scheduler.redbeat.rrules import TYPE
from scheduler.rules.crontab import dialect, fields
from scheduler.rules.model.spec import (
    CrontabWhen,
    IntervalWhen,
    OnceWhen,
    RedBeatWhen,
    RruleWhen,
    When,
)
from scheduler.rules.time.wall_times import Crontab

CRON_KEYS = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
_DATE = 2
_WEEKDAY = 4
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


def decode(schedule: Any, *, foreign: bool | None = None) -> When:
    """Return the rule of a schedule in RedBeat's JSON.

    `foreign` is the result of `is_foreign`, if computed already. Raises UnreadableEntry for a
    crontab refused by Celery.
    """
    if isinstance(schedule, int | float):
        return IntervalWhen(every=float(schedule))
    if is_foreign(schedule) if foreign is None else foreign:
        rrule = (
            rrules.to_rrule(schedule)
            if isinstance(schedule, dict) and schedule.get(TYPE) == "rrule"
            else None
        )
        return rrule or RedBeatWhen(schedule=schedule)
    if schedule[TYPE] == "interval":
        return IntervalWhen(every=float(schedule["every"]))
    text = " ".join(_cron_text(at, schedule.get(key, "*")) for at, key in enumerate(CRON_KEYS))
    return CrontabWhen(crontab=_as_celery_reads(text))


def is_foreign(schedule: Any) -> bool:
    """Whether the schedule is anything but a crontab or an interval as RedBeat writes both."""
    if isinstance(schedule, int | float):
        return False
    if not isinstance(schedule, dict):
        return True
    if schedule.get(TYPE) == "interval":
        plain = isinstance(schedule.get("every"), int | float) and "relative" in schedule
        return not plain or bool(schedule["relative"])
    return schedule.get(TYPE) != "crontab" or not set(schedule) <= {TYPE, *CRON_KEYS}


def encode(when: When, old: Any, *, since: datetime | None = None) -> Any:
    """Return RedBeat's JSON of a rule; `old`, the replaced JSON, if of equal meaning.

    `since` is the moment of saving: the start of a monthly rule in place of a crontab. Raises
    BadExpression or UnknownZone.
    """
    if isinstance(when, RedBeatWhen):
        return when.schedule
    if old is not None and _says(old, when):
        return old
    if isinstance(when, IntervalWhen):
        return {TYPE: "interval", "every": float(when.every), "relative": False}
    if isinstance(when, OnceWhen):
        return rrules.of_once(when.at)
    if isinstance(when, RruleWhen):
        return rrules.of_rrule(when)
    return _encode_crontab(when, since or _EPOCH)


def _encode_crontab(when: CrontabWhen, since: datetime) -> dict[str, Any]:
    """The JSON of a crontab, if Celery has equal days; else of a monthly rule, if RedBeat has equal
    days; else of a rule without ticks.
    """
    parsed = dialect.parse(dialect.effective(when), when.day_match)
    texts = _celery_texts(parsed)
    if texts is not None:
        minute, hour, day_of_month, month_of_year, day_of_week = texts
        return {
            TYPE: "crontab",
            "minute": minute,
            "hour": hour,
            "day_of_week": day_of_week,
            "day_of_month": day_of_month,
            "month_of_year": month_of_year,
        }
    return (
        rrules.never()
        if parsed.on.either or when.timezone != "UTC"
        else rrules.of_crontab(parsed, since)
    )


def _celery_texts(parsed: Crontab) -> list[str] | None:
    """Five fields with equal days in Celery's reading; None without such fields."""
    texts = list(parsed.texts)
    on = parsed.on
    if _celery_means(" ".join(texts), parsed):
        return texts
    if on.last_date or on.last_weekdays or on.nth_weekdays:
        return None
    texts[_DATE] = "*" if texts[_DATE] == "?" else texts[_DATE]
    texts[_WEEKDAY] = "*" if len(on.weekdays) == 7 else ",".join(map(str, sorted(on.weekdays)))
    return texts if _celery_means(" ".join(texts), parsed) else None


def _celery_means(text: str, parsed: Crontab) -> bool:
    """Whether Celery's days of `text` are the days of `parsed`."""
    try:
        return fields.parse(text).day_masks == parsed.day_masks
    except BadExpression:
        return False


def _as_celery_reads(text: str) -> str:
    """`text` as an expression of the dialect with Celery's meaning.

    Where the dialect reads more than Celery, as in `friL`, the days of the week are spelt out.
    Raises UnreadableEntry for a text refused by Celery, because no Beat could load the entry.
    """
    try:
        celery = fields.parse(text)
    except BadExpression as error:
        raise UnreadableEntry(str(error)) from None
    if _same_days(text, celery):
        return text
    texts = text.split()
    texts[_WEEKDAY] = ",".join(map(str, sorted(celery.weekdays)))
    return " ".join(texts)


def _same_days(text: str, celery: Crontab) -> bool:
    """Whether dialect and Celery agree on the days of `text`."""
    try:
        return dialect.parse(text).day_masks == celery.day_masks
    except BadExpression:
        return False


def _cron_text(position: int, value: Any) -> str:
    """A crontab field as text without blanks; plain RedBeat also stores numbers and lists."""
    if isinstance(value, str) and not any(character.isspace() for character in value):
        return value or "''"
    least = fields.FIELDS[position].least
    greatest = fields.FIELDS[position].greatest
    if isinstance(value, str):
        try:
            numbers = sorted(fields.field_values(position, value))
        except BeatdeskError as error:
            raise UnreadableEntry(str(error)) from None
    else:
        numbers = value if isinstance(value, list) else [value]
        if not numbers or not all(
            isinstance(number, int) and least <= number <= greatest for number in numbers
        ):
            raise UnreadableEntry(
                f"{fields.FIELDS[position].name} is {value!r:.80}; allowed: {least}-{greatest}"
            )
        numbers = sorted(set(map(int, numbers)))
    return ",".join(map(str, numbers))


def _says(old: Any, when: When) -> bool:
    """Whether RedBeat's JSON `old` means `when`, apart from values of the extra field."""
    if isinstance(old, int | float):
        return False
    try:
        decoded = decode(old)
    except BeatdeskError:
        return False
    if isinstance(decoded, CrontabWhen) and isinstance(when, CrontabWhen):
        same = decoded.crontab.split() == when.crontab.split()
        return same and not dialect.parse(when.crontab, when.day_match).on.either
    if isinstance(decoded, IntervalWhen) and isinstance(when, IntervalWhen):
        return decoded.every == when.every
    return decoded == when
