"""Plain data for tests: specs, schedules, and the events of a run. Every part can be given; the
rest is sensible.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from scheduler.events.schema import (
    Event,
    RunFacts,
    RunFailed,
    RunQueued,
    RunReceived,
    RunStarted,
    RunSucceeded,
    ScheduleSaved,
    run_event,
)
from scheduler.rules.model.spec import (
    CrontabWhen,
    IntervalWhen,
    Schedule,
    Spec,
)

JOB = "reports.job_summary"
"""The job of schedules whose job does not matter."""

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def at(text: str) -> datetime:
    """`at("2026-11-21T06:00Z")`: an aware moment in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def every(seconds: float, anchor: datetime | None = None) -> IntervalWhen:
    """An interval."""
    return IntervalWhen(every=seconds, anchor=anchor)


def cron(text: str, timezone: str = "UTC", **more: Any) -> CrontabWhen:
    """A crontab."""
    return CrontabWhen(crontab=text, timezone=timezone, **more)


def a_spec(name: str = "nightly-report", job: str = JOB, **parts: Any) -> Spec:
    """An operator's input for a schedule; hourly unless `when` is given."""
    parts.setdefault("when", cron("0 * * * *"))
    return Spec(name=name, job=job, **parts)


def a_schedule(name: str = "nightly-report", job: str = JOB, **parts: Any) -> Schedule:
    """A saved schedule; its uid follows from its name, so that tests can name it."""
    parts.setdefault("when", cron("0 * * * *"))
    parts.setdefault("uid", str(uuid5(NAMESPACE_URL, name)))
    parts.setdefault("revision", 1)
    parts.setdefault("updated_at", NOON)
    parts.setdefault("updated_by", "ada@example.org")
    return Schedule(name=name, job=job, **parts)


def a_saved_event(
    schedule: Schedule | None = None, now: datetime = NOON, **parts: Any
) -> ScheduleSaved:
    """The event of a created schedule, or of an edited one where its revision is above 1."""
    schedule = schedule or a_schedule()
    parts.setdefault("action", "created" if schedule.revision == 1 else "edited")
    parts.setdefault("actor", "ada@example.org")
    return ScheduleSaved(
        at=now, uid=schedule.uid, revision=schedule.revision, schedule=schedule, **parts
    )


def facts_of(schedule: Schedule, tick: datetime = NOON, **parts: Any) -> RunFacts:
    """The facts in the message of a scheduled run."""
    parts.setdefault("args", schedule.args)
    parts.setdefault("kwargs", schedule.kwargs)
    parts.setdefault("trigger", "schedule")
    parts.setdefault("queued_at", tick)
    return RunFacts(
        job=schedule.job,
        schedule=schedule.name,
        schedule_uid=schedule.uid,
        revision=schedule.revision,
        tick=tick,
        queue=parts.pop("queue", schedule.queue or "default"),
        **parts,
    )


def a_run_history(
    run: str = "run-1",
    *,
    schedule: Schedule | None = None,
    tick: datetime = NOON,
    state: str = "succeeded",
    worker: str = "w1@host",
    seconds: float = 2.0,
    result: Any = None,
    error: str = "ValueError('no')",
    facts: RunFacts | None = None,
) -> list[Event]:
    """The events of one run in order, up to `state`: queued, received, started, succeeded or
    failed.
    """
    facts = facts or facts_of(schedule or a_schedule(), tick)
    moments = [tick + timedelta(milliseconds=10 * number) for number in range(3)]
    end = moments[2] + timedelta(seconds=seconds)
    events: dict[str, Event] = {
        "queued": run_event(RunQueued, run, 1, moments[0], facts=facts),
        "received": run_event(RunReceived, run, 1, moments[1], worker=worker, facts=facts),
        "started": run_event(RunStarted, run, 1, moments[2], worker=worker, pid=4711),
        "succeeded": run_event(
            RunSucceeded, run, 1, end, worker=worker, result=result, runtime=seconds
        ),
    }
    if state == "failed":
        del events["succeeded"]
        events["failed"] = run_event(
            RunFailed,
            run,
            1,
            end,
            worker=worker,
            error=error,
            traceback=f"Traceback …\n{error}",
            runtime=seconds,
        )
    names = list(events)
    return [events[name] for name in names[: names.index(state) + 1]]
