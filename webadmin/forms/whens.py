"""When: the editor's fields read as a `When`, and a `When` as those fields."""

from collections.abc import Callable
from datetime import UTC, datetime
from math import isfinite

from scheduler.rules.model.spec import (
    CrontabWhen,
    IntervalWhen,
    OnceWhen,
    RruleWhen,
    When,
)
from webadmin.forms import times
from webadmin.forms.draft import UNITS, Draft
from webadmin.forms.faults import Fault

EditableWhen = CrontabWhen | IntervalWhen | OnceWhen | RruleWhen

DAY_MATCH = ("and", "or")
DST_GAP = ("auto", "shift", "skip")
DST_REPEAT = ("auto", "first", "both")


def read_when(draft: Draft) -> EditableWhen:
    """When the schedule is due. Raises Fault."""
    reader = _READERS.get(draft.kind)
    if reader is None:
        raise Fault(
            "kind",
            "Choose whether it follows a crontab line, an interval, one time or a recurrence.",
        )
    return reader(draft)


def clock_of(draft: Draft) -> str:
    """The zone on whose clock the draft's times are meant."""
    return "UTC" if draft.kind == "interval" else draft.timezone


def zone_of(when: When) -> str:
    """The zone whose clock is shown beside a rule; UTC where it has none."""
    return when.timezone if isinstance(when, CrontabWhen | RruleWhen) else "UTC"


def _crontab(draft: Draft) -> CrontabWhen:
    if not draft.crontab.strip():
        raise Fault("crontab", "Write five fields: minute, hour, day of month, month, day of week.")
    _check_choice("day_match", draft.day_match, DAY_MATCH)
    _check_choice("dst_gap", draft.dst_gap, DST_GAP)
    _check_choice("dst_repeat", draft.dst_repeat, DST_REPEAT)
    return CrontabWhen.model_validate(
        {
            "crontab": draft.crontab.strip(),
            "timezone": _zone(draft),
            "day_match": draft.day_match,
            "dst_gap": draft.dst_gap,
            "dst_repeat": draft.dst_repeat,
        }
    )


def _interval(draft: Draft) -> IntervalWhen:
    return IntervalWhen(every=_seconds(draft), anchor=_anchor(draft.anchor))


def _once(draft: Draft) -> OnceWhen:
    if not draft.at.strip():
        raise Fault("at", "Choose the day and the time at which it is to run.")
    return OnceWhen(at=times.read_moment(draft.at, "at", _zone(draft)))


def _rrule(draft: Draft) -> RruleWhen:
    if not draft.rrule.strip():
        raise Fault("rrule", "Write a recurrence rule, such as FREQ=MONTHLY;BYDAY=-1FR.")
    if not draft.dtstart.strip():
        raise Fault(
            "dtstart", "Choose the time from which the rule counts; its hour is that of the runs."
        )
    start = times.read_moment(draft.dtstart, "dtstart", _zone(draft))
    return RruleWhen(rrule=draft.rrule.strip(), dtstart=start, timezone=_zone(draft))


_READERS: dict[str, Callable[[Draft], EditableWhen]] = {
    "crontab": _crontab,
    "interval": _interval,
    "once": _once,
    "rrule": _rrule,
}


def _zone(draft: Draft) -> str:
    if not draft.timezone.strip():
        raise Fault(
            "timezone",
            "Name the time zone that the hours are meant in, such as UTC or Europe/Berlin.",
        )
    return draft.timezone.strip()


def _check_choice(field: str, text: str, choices: tuple[str, ...]) -> None:
    if text not in choices:
        raise Fault(field, f"Choose one of {', '.join(choices)}.")


def _seconds(draft: Draft) -> float:
    if draft.unit not in UNITS:
        raise Fault("unit", "Choose seconds, minutes, hours or days.")
    try:
        number = float(draft.every.strip())
    except ValueError:
        raise Fault(
            "every", f"{draft.every.strip()!r} is not a number. Write one such as 5 or 0.5."
        ) from None
    if not isfinite(number) or number <= 0:
        raise Fault("every", f"{draft.every.strip()} is no length of time. Write a number above 0.")
    return number * UNITS[draft.unit]


def _anchor(text: str) -> datetime | None:
    if not text:
        return None
    try:
        anchor = datetime.fromisoformat(text)
    except ValueError:
        anchor = None
    if anchor is None or anchor.tzinfo is None:
        raise Fault(
            "every", "The interval's anchor came back damaged. Reload the page and edit again."
        )
    return anchor.astimezone(UTC)
