"""What is stored -> a set's YAML."""

from collections.abc import Sequence
from dataclasses import dataclass

from scheduler.errors import UnreadableEntry
from scheduler.rules.spec import Spec
from scheduler.schedules.listing import Stored
from scheduler.sets import yaml_set
from scheduler.sets.yaml_set import ScheduleSet


@dataclass(frozen=True)
class Exported:
    """The YAML, what is in it, and what is not, with the reason."""

    text: str
    names: list[str]
    left_out: list[tuple[str, str]]


def export(stored: Sequence[Stored], *, tags: Sequence[str] = (), names: Sequence[str] | None = None) -> Exported:
    """All schedules, those with one of the tags, or those with these names."""
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
        specs.append(schedule.spec())
    text = yaml_set.write(ScheduleSet(specs, list(tags)))
    return Exported(text, [spec.name for spec in specs], left_out)
