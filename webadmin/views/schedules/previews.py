"""The editor's preview of a draft: rule in words, coming ticks, warnings, changes."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import jsonify, request
from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose
from pydantic import TypeAdapter, ValidationError

from scheduler.clock import utc_now
from scheduler.errors import NotFound, Refused
from scheduler.interface.published import rfc3339
from scheduler.rules import check
from scheduler.rules.crontab import dialect
from scheduler.rules.explain import preview, what_if
from scheduler.rules.explain.warnings import Facts, anchored, warnings
from scheduler.rules.explain.words import describe
from scheduler.rules.model.fields import fields_of, rule_fields
from scheduler.rules.model.spec import (
    CrontabWhen,
    IntervalWhen,
    Schedule,
    Spec,
    When,
)
from scheduler.rules.phrases import counted
from scheduler.rules.policies.window import CALENDAR_HORIZON, bounded_ticks
from webadmin.forms.draft import Draft, EditableWhen
from webadmin.forms.schedule import ScheduleForm
from webadmin.forms.sentences import sentence
from webadmin.forms.zone import zone_of
from webadmin.services import services
from webadmin.views.schedules.surroundings import facts
from webadmin.views.schedules.validation import is_rule_of

TICKS = 10
MONTH = timedelta(days=30)
MOST_COMPARED = 43_200
"""Most ticks in a comparison: a month of a schedule that fires each minute."""

SHOWN_CHANGES = 4

FAR_OFF = datetime(2250, 1, 1, tzinfo=UTC)

_WHEN: TypeAdapter[When] = TypeAdapter(When)
RULE_AND_LIMITS = {
    "kind",
    "unit",
    *(row.name for row in (*rule_fields(), *fields_of("policies", "window"))),
}
"""Form fields that a preview needs."""

NO_RULE = Draft()
"""The draft of a request with the rule as JSON, without a form."""


@dataclass(frozen=True)
class Coming:
    """The meaning of a schedule from now on. `changes` is set for an edit of a saved schedule."""

    words: str
    ticks: list[datetime]
    warnings: list[str]
    zone: str
    changes: list[str] | None = None

    def local(self, tick: datetime) -> datetime:
        """Return a tick in the schedule's zone."""
        return tick.astimezone(ZoneInfo(self.zone))

    def to_json(self) -> dict[str, Any]:
        """Return the published form, with the schedule's zone."""
        ticks = [rfc3339(tick) for tick in self.ticks]
        shown = {
            "words": self.words,
            "ticks": ticks,
            "warnings": self.warnings,
            "timezone": self.zone,
        }
        return shown if self.changes is None else {**shown, "changes": self.changes}


class Unreadable(Exception):
    """An unreadable rule, policy or limit: the form field, and a message with the remedy."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class PreviewPages(BaseView):
    """`/schedules/preview`, called by the editor during typing."""

    @expose("/preview", methods=["POST"])
    def preview(self) -> ResponseReturnValue:
        """Return words, ticks and warnings as JSON; 422 with the field for an unreadable rule."""
        now = utc_now()
        try:
            if request.is_json:
                return jsonify(coming(_published(request.get_json()), now=now).to_json())
            draft = ScheduleForm.sent(request.form, services().catalogue.get).read()
            return jsonify(
                coming_of(draft, _saved(request.form.get("editing", "")), now=now).to_json()
            )
        except Unreadable as fault:
            return jsonify(field=fault.field, error=str(fault)), 422
        except Refused as error:
            return jsonify(field=NO_RULE.at_field(error.field), error=sentence(str(error))), 422


def coming(when: When, *, now: datetime, uid: str = "") -> Coming:
    """Return the next ticks of a rule alone. The interval of an unsaved rule counts from `now`."""
    shown = preview.preview(when, now, TICKS, uid=uid)
    return Coming(shown.words, shown.ticks, shown.warnings, zone_of(when))


def coming_of(draft: Draft, saved: Schedule | None = None, *, now: datetime) -> Coming:
    """Return the meaning of a draft, and the changes to `saved`.

    Raises Unreadable with the form field.
    """
    when = draft.when
    if when is None or draft.policies is None or draft.window is None:
        field = next(name for name in draft.errors if name in RULE_AND_LIMITS)
        raise Unreadable(field, draft.errors[field])
    try:
        return _meaning(draft, when, saved, now)
    except Refused as error:
        raise Unreadable(draft.at_field(error.field), sentence(str(error))) from None


def coming_to(schedule: Schedule, given: Facts, *, now: datetime, runs: int = 0) -> Coming:
    """Return the coming ticks and all warnings of a saved schedule."""
    shown = _finished_or_coming(schedule.when, now, schedule.uid)
    found = warnings(schedule, now, given)
    ticks = _ticks(schedule, now, given, runs=runs)
    return replace(shown, warnings=list(dict.fromkeys([*shown.warnings, *found])), ticks=ticks)


def _meaning(draft: Draft, when: EditableWhen, saved: Schedule | None, now: datetime) -> Coming:
    """Return the full preview of a draft. Raises Refused."""
    same = saved is not None and is_rule_of(saved, when)
    uid = saved.uid if saved is not None else ""
    spec = draft.outline(dialect.settle(when, uid) if isinstance(when, CrontabWhen) else when)
    if not same:
        check.check_when(when, now=now)
        check.check_window(spec, now=now)
    shown = coming(when, now=now, uid=uid) if not same else _finished_or_coming(when, now, uid)
    given = facts(saved.uid if saved else None, spec, now)
    lines = list(dict.fromkeys([*shown.warnings, *warnings(spec, now, given)]))
    changes = None if saved is None else _compared(saved.spec(), spec, now)
    return replace(shown, ticks=_ticks(spec, now, given), warnings=lines, changes=changes)


def _finished_or_coming(when: When, now: datetime, uid: str) -> Coming:
    """Return the meaning of a saved rule; such a rule may have no tick left."""
    try:
        return coming(when, now=now, uid=uid)
    except Refused:
        return Coming(describe(when), [], [], zone_of(when))


def _ticks(spec: Spec, now: datetime, given: Facts, *, runs: int = 0) -> list[datetime]:
    """Return the next ticks within window and calendar, paused and skipped ones included."""
    ticks: list[datetime] = []
    name = spec.window.calendar
    calendar = None if name is None else (given.calendars or {}).get(name)
    if name is not None and calendar is None:
        return ticks
    far_off = FAR_OFF if calendar is None else now + CALENDAR_HORIZON
    anchored_spec = spec.model_copy(update={"when": anchored(spec.when, now)})
    for tick in bounded_ticks(anchored_spec, now, far_off, runs=runs, calendar=calendar):
        ticks.append(tick)
        if len(ticks) == TICKS:
            break
    return ticks


def _compared(old: Spec, new: Spec, now: datetime) -> list[str]:
    """Return the changes of an edit in 30 days, or in a shorter span for a frequent interval.

    The span is bounded by MOST_COMPARED ticks, since the editor waits for the answer.
    """
    periods = [spec.when.every for spec in (old, new) if isinstance(spec.when, IntervalWhen)]
    span = timedelta(
        seconds=min([MONTH.total_seconds(), *(every * MOST_COMPARED for every in periods)])
    )
    named = {spec.window.calendar for spec in (old, new) if spec.window.calendar is not None}
    calendars = services().calendars.existing(named)
    lines = _changes(
        what_if.compare(old, new, now, now + span, before=calendars, after=calendars),
        zone_of(new.when),
    )
    if span == MONTH:
        return lines
    return [
        f"It fires so often that only the next {span.total_seconds() / 3600:.0f} hours are "
        "compared.",
        *lines,
    ]


def _changes(difference: what_if.Difference, zone: str) -> list[str]:
    """Return a difference in sentences."""
    if difference.is_empty:
        return ["No tick changes."]
    lines = [
        _count_line(len(difference.gone), "goes", "go", difference.gone, zone),
        _count_line(len(difference.come), "comes", "come", difference.come, zone),
        _count_line(
            len(difference.moved), "moves", "move", [new for _, new in difference.moved], zone
        ),
        f"{counted(difference.same, 'stays', 'stay')}.",
    ]
    return [line for line in lines if line]


def _count_line(count: int, one: str, many: str, ticks: list[datetime], zone: str) -> str:
    """Return a count with the first ticks: `3 go: Mon 23 Nov 06:00, …`; empty for a count of 0."""
    if not count:
        return ""
    shown = ", ".join(
        f"{tick.astimezone(ZoneInfo(zone)):%a %d %b %H:%M}" for tick in ticks[:SHOWN_CHANGES]
    )
    to = "to " if one == "moves" else ""
    more = ", …" if count > SHOWN_CHANGES else ""
    return f"{counted(count, one, many)}: {to}{shown}{more}"


def _saved(name: str) -> Schedule | None:
    """Return the schedule in the editor; None for a new or deleted schedule."""
    try:
        return services().schedules.listed(name).schedule if name else None
    except NotFound:
        return None


def _published(body: Any) -> When:
    when = body.get("when") if isinstance(body, dict) else None
    try:
        return _WHEN.validate_python(when)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(str(part) for part in fault["loc"]) or "when"
        raise Unreadable("when", f"{place}: {fault['msg']}") from None
