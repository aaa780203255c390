"""A plan -> the store: everything in one step, from the revisions of the plan.

A schedule changed since the plan raises StaleRevision, and nothing is changed. Applying a set twice
changes nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from scheduler.catalogue.catalogue import Catalogue
from scheduler.rules.check import check_calendar_exists
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import Schedule
from scheduler.schedules.batch import DesiredSchedule, calls_of
from scheduler.schedules.calendar_changes import CalendarWish
from scheduler.schedules.calendar_store import CalendarStore
from scheduler.schedules.store import ScheduleStore
from scheduler.sets import yaml_set
from scheduler.sets.faults import BadSet
from scheduler.sets.plan import Plan, make_plan


@dataclass(frozen=True)
class Applied:
    """The result of an apply, by name."""

    created: list[str]
    changed: list[str]
    deleted: list[str]
    unchanged: list[str]
    remaining: list[tuple[str, str]]
    created_calendars: list[str]
    changed_calendars: list[str]


def plan_text(
    text: str, store: ScheduleStore, calendars: CalendarStore, catalogue: Catalogue, now: datetime
) -> Plan:
    """The plan of a set's YAML. Raises BadYaml or BadSet."""
    chosen, document = yaml_set.read(text)
    stored_calendars = calendars.stored()
    calendar_names = {stored.name for stored in stored_calendars} | {
        calendar.name for calendar in chosen.calendars
    }
    faults = yaml_set.faults_of(
        chosen, document, lambda spec: check_calendar_exists(spec.window, None, calendar_names)
    )
    if faults:
        raise BadSet(faults)
    check_call = calls_of(catalogue.jobs(now))
    return make_plan(
        chosen, document, store.stored(), stored_calendars, check_call, now, lambda: str(uuid4())
    )


def calendar_wishes(plan: Plan) -> list[CalendarWish]:
    """The calendar changes of a plan, from the revisions of the plan."""
    return [
        CalendarWish(item.calendar.name, item.calendar, item.revision) for item in plan.calendars
    ]


def apply(plan: Plan, store: ScheduleStore, *, prune: bool = False, edit: Edit) -> Applied:
    """Carry out a plan. Raises StaleRevision, NameTaken or Refused, and then nothing is changed."""
    wishes = [
        DesiredSchedule(item.spec.name, item.spec, None, uid=item.uid, is_checked=True)
        for item in plan.created
    ]
    wishes += [
        DesiredSchedule(item.spec.name, item.spec, item.stored.revision, is_checked=True)
        for item in plan.changed
    ]
    absent = [item.spec for item in plan.only_stored if isinstance(item.spec, Schedule)]
    if prune:
        wishes += [DesiredSchedule(schedule.name, None, schedule.revision) for schedule in absent]
    store.save_together(wishes, calendars=calendar_wishes(plan), edit=edit)
    left = [] if prune else [(schedule.name, "--prune was not given") for schedule in absent]
    return Applied(
        created=[item.spec.name for item in plan.created],
        changed=[item.spec.name for item in plan.changed],
        deleted=[schedule.name for schedule in absent] if prune else [],
        unchanged=[spec.name for spec in plan.unchanged],
        remaining=[*plan.remaining, *left],
        created_calendars=[item.calendar.name for item in plan.calendars if item.revision is None],
        changed_calendars=[
            item.calendar.name for item in plan.calendars if item.revision is not None
        ],
    )
