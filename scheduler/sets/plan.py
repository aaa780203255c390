"""A set and the store -> a plan: the changes that an apply would make. Pure; `apply` carries the
plan out.

Without an anchor in the set an interval keeps the stored anchor; places of `H` come from the stored
schedule. A pruning apply deletes schedules missing from the set, if the set speaks for them and
operators made them.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from scheduler.errors import Refused, UnreadableEntry
from scheduler.events.bounds import MASKED_FIELDS, masked_definition
from scheduler.redbeat import codec
from scheduler.redbeat.codec import StoredSchedule
from scheduler.rules import ticks
from scheduler.rules.calendars.exclusions import Calendar
from scheduler.rules.check import check_spec
from scheduler.rules.crontab import dialect
from scheduler.rules.explain import what_if
from scheduler.rules.explain.what_if import Difference
from scheduler.rules.model.spec import (
    CrontabWhen,
    IntervalWhen,
    RedBeatWhen,
    Schedule,
    Spec,
    When,
)
from scheduler.schedules import changes
from scheduler.schedules.batch import CheckCall
from scheduler.schedules.calendar_cache import StoredCalendar
from scheduler.schedules.raw_entry import RawEntry
from scheduler.sets import yaml_calendars
from scheduler.sets.faults import BadSet, SetFault, fault_at, fault_in
from scheduler.sets.yaml_set import ScheduleSet, place_of
from scheduler.sets.yaml_text import Document

AHEAD = timedelta(days=30)
TICKS_COMPARED = 500_000
"""Ticks compared by one plan. Beyond this number, runs of further schedules are not computed."""


@dataclass(frozen=True)
class FieldDifference:
    """A changed field, by path."""

    field: str
    old: Any
    new: Any


@dataclass(frozen=True)
class Changed:
    """A stored schedule changed by the set. `runs` is None if not computed."""

    stored: Schedule
    spec: Spec
    differences: list[FieldDifference]
    runs: Difference | None = None


@dataclass(frozen=True)
class Single:
    """A new or deleted schedule. A new schedule has its future id already, because places of `H`
    depend on the id.
    """

    spec: Spec
    runs: Difference | None = None
    uid: str | None = None


@dataclass(frozen=True)
class PlannedCalendar:
    """A new calendar (`revision` None), or a change of the stored revision. Calendars are never
    deleted.
    """

    calendar: Calendar
    revision: int | None
    differences: list[FieldDifference]
    used_by: list[str]
    """The stored schedules with this calendar, affected by its changes."""


@dataclass(frozen=True)
class Plan:
    """The changes of an apply. A pruning apply deletes `only_stored`; `remaining` stays, for the
    reason given.
    """

    calendars: list[PlannedCalendar] = field(default_factory=list)
    unchanged_calendars: list[str] = field(default_factory=list)
    created: list[Single] = field(default_factory=list)
    changed: list[Changed] = field(default_factory=list)
    affected: list[Single] = field(default_factory=list)
    """Unchanged stored schedules, in the set or not, whose calendar is created or changed."""

    unchanged: list[Spec] = field(default_factory=list)
    only_stored: list[Single] = field(default_factory=list)
    remaining: list[tuple[str, str]] = field(default_factory=list)


def make_plan(  # noqa: PLR0917
    chosen: ScheduleSet,
    document: Document,
    stored: Sequence[RawEntry],
    calendars: Sequence[StoredCalendar],
    check_call: CheckCall,
    now: datetime,
    new_uid: Callable[[], str],
) -> Plan:
    """Compare a set with the store. `new_uid` gives ids to new schedules.

    Raises BadSet with all faults that prevent an apply.
    """
    plan, faults = Plan(), list[SetFault]()
    users = _users(stored) if chosen.calendars else {}
    _plan_calendars(plan, chosen, document, users, calendars, faults)
    by_name = {entry.name: entry for entry in stored}
    for at, spec in enumerate(chosen.schedules):
        try:
            _plan_one(plan, spec, by_name.get(spec.name), check_call, now, new_uid)
        except Refused as error:
            faults.append(fault_at(document, at, place_of(error), str(error)))
        except UnreadableEntry as error:
            unreadable = f"the stored entry cannot be read ({error}); delete it first"
            faults.append(fault_at(document, at, "name", unreadable))
    if faults:
        raise BadSet(faults)
    named = {spec.name for spec in chosen.schedules}
    for entry in stored:
        if entry.name not in named:
            _plan_absent(plan, chosen, entry)
    changed = {item.stored.name for item in plan.changed}
    named_by = [user for item in plan.calendars for user in users.get(item.calendar.name, [])]
    plan.affected.extend(
        Single(user) for user in named_by if user.enabled and user.name not in changed
    )
    return plan


def with_runs(
    plan: Plan, now: datetime, read_calendars: Callable[[Collection[str]], Mapping[str, Calendar]]
) -> Plan:
    """The plan with the runs of the next 30 days that go, come and move, as far as the budget of
    ticks reaches.

    Affected schedules remain in the plan if a run changes or was not computed. `read_calendars`
    returns the existing calendars among the given names.
    """
    specs: list[Spec] = [item.spec for item in (*plan.created, *plan.only_stored, *plan.affected)]
    specs += [spec for item in plan.changed for spec in (item.spec, item.stored)]
    before = read_calendars(
        {spec.window.calendar for spec in specs if spec.window.calendar is not None}
    )
    budget = _Budget(
        now,
        before,
        {**before, **{planned.calendar.name: planned.calendar for planned in plan.calendars}},
    )
    created = [replace(item, runs=budget.compare(None, item.spec)) for item in plan.created]
    changed = [replace(item, runs=budget.compare(item.stored, item.spec)) for item in plan.changed]
    only_stored = [replace(item, runs=budget.compare(item.spec, None)) for item in plan.only_stored]
    affected = [replace(item, runs=budget.compare(item.spec, item.spec)) for item in plan.affected]
    affected = [item for item in affected if item.runs is None or not item.runs.is_empty]
    return replace(
        plan, created=created, changed=changed, only_stored=only_stored, affected=affected
    )


def differences(old: Spec, new: Spec) -> list[FieldDifference]:
    """The different fields, by path."""
    was, becomes = _flat(old), _flat(new)
    paths = [*becomes, *(path for path in was if path not in becomes)]
    return [
        FieldDifference(path, was.get(path), becomes.get(path))
        for path in paths
        if was.get(path) != becomes.get(path)
    ]


def settled(spec: Spec, entry: StoredSchedule) -> Spec:
    """`spec` completed from the stored entry: the anchor of an interval, the places of `H`, and
    secrets that an export has masked.
    """
    spec = _with_secrets(spec, entry.schedule)
    old, when = entry.schedule.when, spec.when
    if isinstance(when, IntervalWhen) and when.anchor is None and isinstance(old, IntervalWhen):
        if old.anchor is None and old.every == when.every:
            return spec
        stored_when = codec.anchored(old, entry.meta)
        if isinstance(stored_when, IntervalWhen) and stored_when.every == when.every:
            return spec.model_copy(
                update={"when": when.model_copy(update={"anchor": stored_when.anchor})}
            )
    if isinstance(when, CrontabWhen):
        return spec.model_copy(update={"when": dialect.settle(when, entry.schedule.uid)})
    return spec


def _with_secrets(spec: Spec, old: Schedule) -> Spec:
    """`spec` with the stored arguments and description where it has the same, masked."""
    shown = masked_definition({name: getattr(old, name) for name in MASKED_FIELDS})
    same = {name: getattr(old, name) for name in shown if getattr(spec, name) == shown[name]}
    return spec.model_copy(update=same)


class _Budget:
    """Compares ticks until the budget is spent."""

    def __init__(
        self, now: datetime, before: Mapping[str, Calendar], after: Mapping[str, Calendar]
    ) -> None:
        self._now, self._before, self._after = now, before, after
        self._until = now + AHEAD
        self._left = TICKS_COMPARED

    def compare(self, old: Spec | None, new: Spec | None) -> Difference | None:
        """The difference of the runs; None beyond the budget, or for rules whose ticks cannot be
        computed.
        """
        both = [spec for spec in (old, new) if spec is not None]
        if not all(_has_ticks(spec.when) for spec in both):
            return None
        if (
            old is not None
            and new is not None
            and _rule(old, self._before) == _rule(new, self._after)
        ):
            return Difference(gone=[], come=[], moved=[], same=0)
        for spec in both:
            when = spec.when
            if isinstance(when, IntervalWhen) and when.anchor is None:
                when = when.model_copy(update={"anchor": self._now})
            self._left -= ticks.count_ticks(when, self._now, self._until, max(self._left, 0) + 1)
        if self._left < 0:
            return None
        return what_if.compare(
            old, new, self._now, self._until, before=self._before, after=self._after
        )


def _has_ticks(when: When) -> bool:
    """Whether ticks can be computed: not for RedBeat's own rules."""
    return not isinstance(when, RedBeatWhen)


def _rule(spec: Spec, calendars: Mapping[str, Calendar]) -> tuple[Any, ...]:
    """The fields behind the ticks."""
    name = spec.window.calendar
    return spec.enabled, spec.when, spec.window, None if name is None else calendars.get(name)


def _plan_calendars(  # noqa: PLR0917
    plan: Plan,
    chosen: ScheduleSet,
    document: Document,
    users: Mapping[str, Sequence[Schedule]],
    calendars: Sequence[StoredCalendar],
    faults: list[SetFault],
) -> None:
    """Plan created and changed calendars. `users` holds the stored schedules of each calendar."""
    by_name = {stored.name: stored for stored in calendars if stored.text is not None}
    used_by = {name: [user.name for user in named_by] for name, named_by in users.items()}
    for at, calendar in enumerate(chosen.calendars):
        found, old = by_name.get(calendar.name), None
        try:
            old = found.decode() if found is not None else None
        except UnreadableEntry as error:
            damaged = (
                f"the stored calendar cannot be read ({error}); put it right first: `beatdesk "
                "calendars set`"
            )
            faults.append(fault_in(document, yaml_calendars.PART, at, ("name",), damaged))
            continue
        if old is None:
            plan.calendars.append(
                PlannedCalendar(calendar, None, [], used_by.get(calendar.name, []))
            )
        elif changed := _calendar_differences(old, calendar):
            plan.calendars.append(
                PlannedCalendar(calendar, old.revision, changed, used_by.get(calendar.name, []))
            )
        else:
            plan.unchanged_calendars.append(calendar.name)


def _calendar_differences(old: Calendar, new: Calendar) -> list[FieldDifference]:
    """The different fields in a set's form; for excluded times, only new and removed lines."""
    was, becomes = yaml_calendars.entry_of(old), yaml_calendars.entry_of(new)
    found = [
        FieldDifference(name, getattr(was, name), getattr(becomes, name))
        for name in ("timezone", "description")
        if getattr(was, name) != getattr(becomes, name)
    ]
    before, after = set(was.excluded), set(becomes.excluded)
    gone = [line for line in was.excluded if line not in after]
    come = [line for line in becomes.excluded if line not in before]
    return [*found, FieldDifference("excluded", gone, come)] if gone or come else found


def _users(stored: Sequence[RawEntry]) -> dict[str, list[Schedule]]:
    """The stored schedules of each calendar, by the calendar's name."""
    used: dict[str, list[Schedule]] = {}
    for entry in stored:
        schedule = entry.schedule() if '"calendar"' in (entry.raw.extra or "") else None
        if schedule is not None and schedule.window.calendar is not None:
            used.setdefault(schedule.window.calendar, []).append(schedule)
    return used


def _plan_one(  # noqa: PLR0917
    plan: Plan,
    spec: Spec,
    stored: RawEntry | None,
    check_call: CheckCall,
    now: datetime,
    new_uid: Callable[[], str],
) -> None:
    if stored is None:
        check_spec(spec, now=now)
        check_call(spec.job, spec.args, spec.kwargs)
        uid = new_uid()
        if isinstance(spec.when, CrontabWhen):
            spec = spec.model_copy(update={"when": dialect.settle(spec.when, uid)})
        plan.created.append(Single(spec, uid=uid))
        return
    entry = stored.decode()
    old = entry.schedule
    wanted = settled(spec, entry)
    found = differences(old.spec(), wanted)
    if not found:
        plan.unchanged.append(wanted)
        return
    if old.origin == "code":
        what = ", ".join(difference.field for difference in found)
        raise Refused(
            f"it is defined in code (beat_schedule), and the set changes its {what}; put an "
            "override on it instead, and leave it out of the set",
            field="name",
        )
    changes.check_edit(wanted, old, now, check_call)
    plan.changed.append(Changed(old, wanted, found))


def _plan_absent(plan: Plan, chosen: ScheduleSet, stored: RawEntry) -> None:
    """Plan a stored schedule missing from the set."""
    try:
        schedule = stored.decode().schedule
    except UnreadableEntry as error:
        plan.remaining.append((stored.name, f"it cannot be read: {error}"))
        return
    if not chosen.speaks_for(schedule):
        return
    if schedule.origin == "operator":
        plan.only_stored.append(Single(schedule))
    else:
        owner = "code (beat_schedule)" if schedule.origin == "code" else "plain RedBeat code"
        plan.remaining.append((stored.name, f"it belongs to {owner}"))


def _flat(spec: Spec) -> dict[str, Any]:
    """The fields by path, as JSON; places of H and arguments stay whole."""
    fields = spec.model_dump(mode="json", include=set(Spec.model_fields))
    fields["when"].pop("resolved", None)
    flat: dict[str, Any] = {}
    for name, value in fields.items():
        if name in ("when", "policies", "window"):
            flat |= {f"{name}.{part}": inner for part, inner in value.items()}
        else:
            flat[name] = value
    return flat
