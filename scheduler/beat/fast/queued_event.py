"""`run.queued` for the many runs of a schedule, as text: the models write it once. Pure.

Beat records the event for each sent run, and most runs of a schedule differ in the id and the times
only, which are filled in.
"""

from datetime import UTC, datetime
from functools import cache
from json.encoder import encode_basestring  # json's own, for texts that are not ASCII
from typing import Any

from scheduler.events.bounds import bounded_json
from scheduler.events.schema import FIELD, RunFacts, RunQueued, encode, run_event
from scheduler.publishing.calls import AT, RUN, TICK
from scheduler.rules.model.identity import tick_text
from scheduler.rules.model.spec import Schedule
from scheduler.runs.own_header import LONGEST_NAME

_AT, _TICK = datetime(1, 1, 1, tzinfo=UTC), datetime(1, 1, 2, tzinfo=UTC)
_PLACES = ("run", "job", "args", "kwargs", "schedule", "uid", "queue")


def pattern(
    schedule: Schedule, args: Any, kwargs: Any, queue: str | None, limit: int
) -> str | None:
    """Return the event of a schedule's runs with marks for RUN, TICK and AT.

    None where a name has to be cut. `limit` is the most bytes of arguments in the event.
    """
    names = (schedule.job, schedule.name, queue or "")
    if any(len(name) > LONGEST_NAME for name in names):
        return None
    return _form() % {
        "job": encode_basestring(schedule.job),
        "args": _member("args", bounded_json(args, limit)),
        "kwargs": _member("kwargs", bounded_json(kwargs, limit)),
        "schedule": encode_basestring(schedule.name),
        "uid": encode_basestring(schedule.uid),
        "revision": schedule.revision,
        "queue": _member("queue", encode_basestring(queue) if queue else "null"),
    }


def frame(job: str, queue: str | None) -> str | None:
    """Return `pattern` for all schedules of a job, with places for the values of a schedule.

    The places are `%(name)s` for the values of `schedule_texts`, for `uid` and for `revision`.
    """
    if any(len(name) > LONGEST_NAME for name in (job, queue or "")):
        return None
    places = ("args", "kwargs", "schedule", "uid", "revision")
    return _form() % {
        **{place: f"%({place})s" for place in places},
        "job": encode_basestring(job).replace("%", "%%"),
        "queue": _member("queue", encode_basestring(queue) if queue else "null").replace("%", "%%"),
    }


def schedule_texts(name: str, args: Any, kwargs: Any, limit: int) -> tuple[str, str, str] | None:
    """Return the arguments, the keywords and the name of a schedule, for `frame`.

    None where the name has to be cut.
    """
    if len(name) > LONGEST_NAME:
        return None
    args_text = _member("args", bounded_json(args, limit))
    return args_text, _member("kwargs", bounded_json(kwargs, limit)), encode_basestring(name)


def filled(pattern: str, run: str, tick: str, at: str) -> str:
    """Return the event of a run; the times are texts (`identity.tick_text`)."""
    return pattern.replace(RUN, run).replace(TICK, tick).replace(AT, at)


_DEFAULTS = {"args": "[]", "kwargs": "{}", "queue": "null"}
"""Facts left out of an event at the default (`events.schema.encode`)."""


def _member(name: str, value: str) -> str:
    """Return a fact as JSON with the name; empty for the default value."""
    return "" if value == _DEFAULTS[name] else f'"{name}":{value},'


@cache
def _form() -> str:
    """Return the text written by the models, with places for all varying values.

    The text contains nothing written by users.
    """
    marks = {place: f"\x7f{place}\x7f" for place in _PLACES}
    facts = RunFacts(
        job=marks["job"],
        args=marks["args"],
        kwargs=marks["kwargs"],
        schedule=marks["schedule"],
        schedule_uid=marks["uid"],
        revision=0,
        tick=_TICK,
        trigger="schedule",
        queue=marks["queue"],
        queued_at=_AT,
    )
    text = encode(run_event(RunQueued, marks["run"], 1, _AT, facts=facts))[FIELD]
    for place, mark in marks.items():
        text = text.replace(f'"{mark}"', f'"{RUN}"' if place == "run" else f"%({place})s")
    text = text.replace(f'"{tick_text(_AT)}"', f'"{AT}"').replace(
        f'"{tick_text(_TICK)}"', f'"{TICK}"'
    )
    for name in _DEFAULTS:
        text = text.replace(f'"{name}":%({name})s,', f"%({name})s")
    return text.replace('"revision":0,', '"revision":%(revision)s,')
