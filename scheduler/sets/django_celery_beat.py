"""django-celery-beat's rows -> candidates. Pure; `sets.django_tables` reads the rows.

    django-celery-beat     Beatdesk
    crontab, its timezone  crontab, both day fields must match, as in Celery
    interval               interval, counted from the last run
    clocked                once
    solar                  refused: Beatdesk does not compute sunrise and sunset
    start_time, expires    the window's start and end
    one_off                at most one run
    expire_seconds         the deadline for starting

Columns with an effect on a task's meaning, such as headers, are refused rather than dropped.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from scheduler.errors import Refused
from scheduler.rules.check import LONGEST
from scheduler.rules.model.spec import (
    CrontabWhen,
    IntervalWhen,
    OnceWhen,
    Policies,
    Spec,
    When,
    Window,
)
from scheduler.sets.django_tables import PeriodicTask, Row
from scheduler.sets.found import Aside, Candidate, Found, renamed, usable_names

SECONDS = {"days": 86400.0, "hours": 3600.0, "minutes": 60.0, "seconds": 1.0, "microseconds": 1e-6}
_CRON_FIELDS = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")


def read(tasks: Sequence[PeriodicTask]) -> Found:
    """The candidates of the rows; an unsuitable row is refused alone."""
    found = Found()
    called = usable_names(str(row.task["name"]) for row in tasks)
    for row in tasks:
        name = str(row.task["name"])
        try:
            found.candidates.append(_candidate(row, name, called[name]))
        except Refused as error:
            found.refused.append(Aside(name, str(error)))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            found.refused.append(Aside(name, f"{'.'.join(map(str, first['loc']))}: {first['msg']}"))
    return found


def _candidate(row: PeriodicTask, name: str, called: str) -> Candidate:
    task = row.task
    _check_columns(task)
    when = _when(row)
    spent = (
        bool(task.get("one_off"))
        and bool(task.get("total_run_count"))
        and not isinstance(when, OnceWhen)
    )
    notes = list(renamed(name, called))
    if spent and task["enabled"]:
        notes.append("switched off: it is a one-off and has run")
    description = str(task.get("description") or "")
    longest = LONGEST["description"]
    if len(description) > longest:
        notes.append("its description is longer than a line, and became its notes")
    spec = Spec(
        name=called,
        job=str(task["task"]),
        enabled=bool(task["enabled"]) and not spent,
        when=when,
        args=_json(task, "args", list),
        kwargs=_json(task, "kwargs", dict),
        queue=task.get("queue") or None,
        priority=task.get("priority"),
        policies=Policies(starting_deadline=task.get("expire_seconds") or None),
        window=_window(task, when),
        description=description if len(description) <= longest else "",
        notes=description if len(description) > longest else "",
    )
    return Candidate(name, spec, tuple(notes), anchor_moves=isinstance(when, IntervalWhen))


def _window(task: Row, when: When) -> Window:
    once = bool(task.get("one_off")) and not isinstance(when, OnceWhen)
    return Window(
        starts_at=task.get("start_time"), ends_at=task.get("expires"), max_runs=1 if once else None
    )


def _check_columns(task: Row) -> None:
    """Refuse columns missing from Beatdesk's schedules and needed by a worker."""
    for key in ("exchange", "routing_key"):
        if task.get(key):
            raise Refused(
                f"it has the {key} {task[key]!r}, which a schedule cannot express; give it a queue",
                field=key,
            )
    if _json(task, "headers", dict):
        raise Refused("it has headers, which a schedule cannot express", field="headers")


def _when(periodic_task: PeriodicTask) -> When:
    """The rule of the task's schedule row. Raises Refused."""
    row = periodic_task.schedule
    if row is None:
        raise Refused(
            "it has no schedule"
            if periodic_task.kind is None
            else f"its {periodic_task.kind} row is gone",
            field="when",
        )
    if periodic_task.kind == "solar":
        place = f"{row['event']} at {row['latitude']}, {row['longitude']}"
        raise Refused(
            f"it is solar ({place}); such schedules are not computed, give it a time of day",
            field="when",
        )
    if periodic_task.kind == "clocked":
        return OnceWhen(at=row["clocked_time"])
    if periodic_task.kind == "interval":
        if row["period"] not in SECONDS:
            raise Refused(f"the period {row['period']!r} is not known", field="every")
        every = round(float(row["every"]) * SECONDS[row["period"]], 6)
        return IntervalWhen(every=every, anchor=periodic_task.task.get("last_run_at"))
    written = " ".join("".join(str(row[key]).split()) or "*" for key in _CRON_FIELDS)
    return CrontabWhen(crontab=written, timezone=str(row.get("timezone") or "UTC"))


def _json(task: Row, key: str, kind: type[Any]) -> Any:
    """A JSON column; an empty value where the column is empty. Raises Refused."""
    text = task.get(key)
    if not text:
        return kind()
    try:
        value = text if isinstance(text, list | Mapping) else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused(f"its {key} are not JSON ({error})", field=key) from None
    if not isinstance(value, kind):
        raise Refused(f"its {key} are a {type(value).__name__}, not a {kind.__name__}", field=key)
    return value
