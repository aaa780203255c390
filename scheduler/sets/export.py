"""The store -> a set's YAML."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from scheduler.errors import UnreadableEntry
from scheduler.events.bounds import MASKED_FIELDS, masked_definition
from scheduler.rules.calendars.exclusions import Calendar
from scheduler.rules.model.spec import Spec
from scheduler.schedules.calendar_cache import StoredCalendar
from scheduler.schedules.raw_entry import RawEntry
from scheduler.sets import yaml_set
from scheduler.sets.yaml_set import ScheduleSet


@dataclass(frozen=True)
class Exported:
    """The YAML, the exported names, and the items left out with reasons."""

    text: str
    names: list[str]
    calendars: list[str]
    left_out: list[tuple[str, str]]


def export(
    stored: Sequence[RawEntry],
    calendars: Sequence[StoredCalendar],
    *,
    tags: Sequence[str] = (),
    names: Sequence[str] | None = None,
) -> Exported:
    """All schedules, or schedules with one of the tags or names, and the exclusion calendars in
    use.
    """
    specs: list[Spec] = []
    left_out: list[tuple[str, str]] = []
    for entry in stored:
        if names is not None and entry.name not in names:
            continue
        try:
            schedule = entry.decode().schedule
        except UnreadableEntry as error:
            left_out.append((entry.name, f"it cannot be read: {error}"))
            continue
        if tags and not set(tags) & set(schedule.tags):
            continue
        if schedule.origin == "code":
            left_out.append((entry.name, "it is defined in code (beat_schedule)"))
            continue
        specs.append(_without_secrets(schedule.spec()))
    named = {spec.window.calendar for spec in specs if spec.window.calendar is not None}
    carried = _named(named, calendars, left_out)
    text = yaml_set.write(ScheduleSet(specs, list(tags), carried))
    return Exported(
        text, [spec.name for spec in specs], [calendar.name for calendar in carried], left_out
    )


def _without_secrets(spec: Spec) -> Spec:
    """The spec with masks for secrets, which older schedules have in their arguments.

    A plan takes the masked arguments of a stored schedule for unchanged.
    """
    return spec.model_copy(update=masked_definition({x: getattr(spec, x) for x in MASKED_FIELDS}))


def _named(
    names: Collection[str], stored: Sequence[StoredCalendar], left_out: list[tuple[str, str]]
) -> list[Calendar]:
    """The named calendars; missing and damaged calendars are added to `left_out`."""
    by_name = {calendar.name: calendar for calendar in stored}
    found: list[Calendar] = []
    for name in sorted(names):
        try:
            if name not in by_name:
                left_out.append((f"calendar {name}", "it is gone, though a schedule names it"))
            else:
                found.append(by_name[name].decode().calendar())
        except UnreadableEntry as error:
            left_out.append((f"calendar {name}", f"it cannot be read: {error}"))
    return found
