"""Candidates -> an import. Decides first, then saves all changes in one step.

A candidate equal to the stored schedule was imported before, and nothing happens. A candidate
unlike the stored schedule is refused, unless the import replaces. A refusal does not affect other
candidates.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from scheduler.errors import BeatdeskError, Refused, UnreadableEntry
from scheduler.rules.check import check_spec
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import IntervalWhen
from scheduler.schedules import changes
from scheduler.schedules.batch import CheckCall, DesiredSchedule
from scheduler.schedules.calendar_changes import CalendarWish
from scheduler.schedules.raw_entry import RawEntry
from scheduler.schedules.store import ScheduleStore
from scheduler.sets.found import Aside, Candidate, Found
from scheduler.sets.plan import Plan, PlannedCalendar, differences, settled

Outcome = Literal["created", "replaced", "unchanged"]


@dataclass(frozen=True)
class Taken:
    """An imported candidate, and its effect on the store."""

    candidate: Candidate
    outcome: Outcome


@dataclass
class Import:
    """The report, and the changes behind the report."""

    taken: list[Taken] = field(default_factory=list)
    refused: list[Aside] = field(default_factory=list)
    ignored: list[Aside] = field(default_factory=list)
    wishes: list[DesiredSchedule] = field(default_factory=list)
    calendars: list[tuple[str, Outcome]] = field(default_factory=list)
    """The exclusion calendars of a set of ours, by name."""

    calendar_wishes: list[CalendarWish] = field(default_factory=list)

    def take(self, candidate: Candidate, revision: int | None) -> None:
        """Take a candidate: as a new schedule, or in place of a stored revision."""
        self.taken.append(Taken(candidate, "created" if revision is None else "replaced"))
        self.wishes.append(
            DesiredSchedule(candidate.spec.name, candidate.spec, revision, is_checked=True)
        )


def decide(
    found: Found, stored: Sequence[RawEntry], check_call: CheckCall, *, replace: bool, now: datetime
) -> Import:
    """The import of a source's candidates. Changes nothing yet."""
    report = Import(refused=list(found.refused), ignored=list(found.ignored))
    by_name = {entry.name: entry for entry in stored}
    for candidate in found.candidates:
        try:
            _decide_one(
                report,
                candidate,
                by_name.get(candidate.spec.name),
                check_call,
                replace=replace,
                now=now,
            )
        except BeatdeskError as error:
            report.refused.append(Aside(candidate.source, str(error)))
    return report


def of_plan(plan: Plan, *, replace: bool) -> Import:
    """A set of our own as an import: deletes nothing, and replaces stored schedules only with
    `replace`.
    """
    report = Import(
        taken=[Taken(Candidate(spec.name, spec), "unchanged") for spec in plan.unchanged]
    )
    report.calendars += [(name, "unchanged") for name in plan.unchanged_calendars]
    for planned in plan.calendars:
        _take_calendar(report, planned, replace=replace)
    for item in plan.created:
        report.take(Candidate(item.spec.name, item.spec), None)
    for changed in plan.changed:
        if replace:
            report.take(Candidate(changed.spec.name, changed.spec), changed.stored.revision)
        else:
            fields = [difference.field for difference in changed.differences]
            report.refused.append(
                Aside(changed.spec.name, _stored_otherwise(changed.spec.name, fields))
            )
    return report


def save(report: Import, store: ScheduleStore, *, edit: Edit) -> None:
    """Carry out an import, all or nothing. Raises StaleRevision, NameTaken or Refused."""
    store.save_together(report.wishes, calendars=report.calendar_wishes, edit=edit)


def _take_calendar(report: Import, planned: PlannedCalendar, *, replace: bool) -> None:
    """Take a new or changed calendar."""
    name = planned.calendar.name
    if planned.revision is not None and not replace:
        fields = ", ".join(difference.field for difference in planned.differences)
        why = (
            f"there is a calendar {name!r} with another {fields}; --replace takes this one in its "
            "place"
        )
        report.refused.append(Aside(f"calendar {name}", why))
        return
    report.calendars.append((name, "created" if planned.revision is None else "replaced"))
    report.calendar_wishes.append(CalendarWish(name, planned.calendar, planned.revision))


def _decide_one(
    report: Import,
    candidate: Candidate,
    stored: RawEntry | None,
    check_call: CheckCall,
    *,
    replace: bool,
    now: datetime,
) -> None:
    spec = candidate.spec
    if stored is None:
        check_spec(spec, now=now)
        check_call(spec.job, spec.args, spec.kwargs)
        report.take(candidate, None)
        return
    try:
        entry = stored.decode()
    except UnreadableEntry as error:
        raise Refused(
            f"the stored entry {spec.name!r} cannot be read ({error}); delete it first"
        ) from None
    if candidate.anchor_moves and isinstance(spec.when, IntervalWhen):
        spec = spec.model_copy(update={"when": spec.when.model_copy(update={"anchor": None})})
    spec = settled(spec, entry)
    found = differences(entry.schedule.spec(), spec)
    if not found:
        report.taken.append(Taken(candidate, "unchanged"))
        return
    if not replace:
        raise Refused(_stored_otherwise(spec.name, [difference.field for difference in found]))
    if entry.schedule.origin == "code":
        raise Refused(
            f"{spec.name!r} is defined in code (beat_schedule), which would undo the change"
        )
    changes.check_edit(spec, entry.schedule, now, check_call)
    report.taken.append(Taken(candidate, "replaced"))
    report.wishes.append(DesiredSchedule(spec.name, spec, entry.schedule.revision, is_checked=True))


def _stored_otherwise(name: str, fields: Sequence[str]) -> str:
    return (
        f"there is a schedule {name!r} with another {', '.join(fields)}; --replace takes this one "
        "in its place"
    )
