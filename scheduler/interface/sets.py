"""The JSON of plans, applied plans and imports, for commands and API. Pure."""

from datetime import datetime
from typing import Any

from scheduler.events.bounds import masked_field
from scheduler.rules.calendars.text import lines_of
from scheduler.rules.explain.what_if import Difference
from scheduler.rules.model.identity import tick_text
from scheduler.sets.apply import Applied
from scheduler.sets.found import Aside
from scheduler.sets.importing import Import, Taken
from scheduler.sets.plan import Changed, FieldDifference, Plan, PlannedCalendar, Single

TICKS_SHOWN = 20
"""Ticks shown of each list; the number of all ticks is always given."""


def plan_json(plan: Plan) -> dict[str, Any]:
    """A plan. `runs` is null where too many ticks would have to be compared."""
    return {
        "calendars": [_calendar(calendar) for calendar in plan.calendars],
        "unchanged_calendars": list(plan.unchanged_calendars),
        "created": [_single(item) for item in plan.created],
        "changed": [_changed(item) for item in plan.changed],
        "affected": [_single(item) for item in plan.affected],
        "unchanged": [spec.name for spec in plan.unchanged],
        "only_stored": [_single(item) for item in plan.only_stored],
        "kept": _remaining(plan.remaining),
    }


def applied_json(applied: Applied) -> dict[str, Any]:
    """The result of an apply."""
    return {
        "calendars": {"created": applied.created_calendars, "changed": applied.changed_calendars},
        "created": applied.created,
        "changed": applied.changed,
        "deleted": applied.deleted,
        "unchanged": applied.unchanged,
        "kept": _remaining(applied.remaining),
    }


def import_json(report: Import) -> dict[str, Any]:
    """The report of an import."""
    return {
        "calendars": [{"name": name, "outcome": outcome} for name, outcome in report.calendars],
        "taken": [_taken(item) for item in report.taken],
        "refused": [_aside(item) for item in report.refused],
        "ignored": [_aside(item) for item in report.ignored],
    }


def runs_json(runs: Difference | None) -> dict[str, Any] | None:
    """The runs of the next 30 days that go, come and move; None if not computed."""
    if runs is None:
        return None
    return {
        "counts": {
            "gone": len(runs.gone),
            "come": len(runs.come),
            "moved": len(runs.moved),
            "same": runs.same,
        },
        "gone": _ticks(runs.gone),
        "come": _ticks(runs.come),
        "moved": [
            {"from": tick_text(old), "to": tick_text(new)} for old, new in runs.moved[:TICKS_SHOWN]
        ],
    }


def _taken(taken: Taken) -> dict[str, Any]:
    candidate = taken.candidate
    readings = candidate.readings
    both = (
        None
        if readings is None
        else {"either": _ticks(readings.either), "both": _ticks(readings.both)}
    )
    return {
        "source": candidate.source,
        "name": candidate.spec.name,
        "outcome": taken.outcome,
        "changed": list(candidate.notes),
        "readings": both,
    }


def _aside(aside: Aside) -> dict[str, str]:
    return {"source": aside.source, "reason": aside.reason}


def _single(item: Single) -> dict[str, Any]:
    return {"name": item.spec.name, "runs": runs_json(item.runs)}


def _calendar(item: PlannedCalendar) -> dict[str, Any]:
    return {
        "name": item.calendar.name,
        "revision": item.revision,
        "timezone": item.calendar.timezone,
        "description": item.calendar.description,
        "excluded": lines_of(item.calendar),
        "differences": _differences(item.differences),
        "used_by": item.used_by,
    }


def _differences(differences: list[FieldDifference]) -> list[dict[str, Any]]:
    return [
        {
            "field": difference.field,
            "old": masked_field(difference.field, difference.old),
            "new": masked_field(difference.field, difference.new),
        }
        for difference in differences
    ]


def _changed(item: Changed) -> dict[str, Any]:
    return {
        "name": item.spec.name,
        "revision": item.stored.revision,
        "differences": _differences(item.differences),
        "runs": runs_json(item.runs),
    }


def _remaining(remaining: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "reason": reason} for name, reason in remaining]


def _ticks(ticks: list[datetime]) -> list[str]:
    return [tick_text(tick) for tick in ticks[:TICKS_SHOWN]]
