"""`run.queued` for the many runs of one schedule, as text: the models write it once, then it is filled in. Pure.

Beat says it for each run that it sends, and most runs of a schedule differ in their id and their times only.
"""

from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring  # json's own, for texts that are not ASCII
from typing import Any

from scheduler.events.bounds import bounded_json
from scheduler.events.schema import FIELD, RunFacts, RunQueued, encode, run_event
from scheduler.rules.spec import Schedule

RUN, TICK, AT = "\x01", "\x02", "\x03"
"""Stand for a run's id, its tick, and when it was queued. JSON has no such characters."""

LONGEST_NAME = 255
"""Characters of a name that an event carries whole."""

_AT, _TICK = datetime(1, 1, 1, tzinfo=UTC), datetime(1, 1, 2, tzinfo=UTC)
_PLACES = ("run", "args", "kwargs", "schedule", "uid")


def pattern(schedule: Schedule, args: Any, kwargs: Any, queue: str | None, limit: int) -> str | None:
    """The event of this schedule's runs with marks for RUN, TICK and AT; none where a name has to be cut.

    `limit` is the most bytes of arguments that it carries.
    """
    names = (schedule.job, schedule.name, queue or "")
    if any(len(name) > LONGEST_NAME for name in names):
        return None
    return _form(schedule.job, queue or None) % {
        "args": bounded_json(args, limit),
        "kwargs": bounded_json(kwargs, limit),
        "schedule": encode_basestring(schedule.name),
        "uid": encode_basestring(schedule.uid),
        "revision": schedule.revision,
    }


def filled(pattern: str, run: str, tick: str, at: str) -> str:
    """The event of one run; the times are texts (`identity.tick_text`)."""
    return pattern.replace(RUN, run).replace(TICK, tick).replace(AT, at)


@lru_cache(maxsize=1000)
def _form(job: str, queue: str | None) -> str:
    """What the models write, with places for what differs between schedules."""
    marks = {place: f"\x7f{place}\x7f" for place in _PLACES}
    facts = RunFacts(
        job=job,
        args=marks["args"],
        kwargs=marks["kwargs"],
        schedule=marks["schedule"],
        schedule_uid=marks["uid"],
        revision=0,
        tick=_TICK,
        trigger="schedule",
        queue=queue,
        queued_at=_AT,
    )
    text = encode(run_event(RunQueued, marks["run"], 1, _AT, facts=facts))[FIELD].replace("%", "%%")
    for place, mark in marks.items():
        text = text.replace(f'"{mark}"', f'"{RUN}"' if place == "run" else f"%({place})s")
    text = text.replace(f'"{_moment(_AT)}"', f'"{AT}"').replace(f'"{_moment(_TICK)}"', f'"{TICK}"')
    return text.replace('"revision":0,', '"revision":%(revision)d,')


def _moment(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat() + "Z"
