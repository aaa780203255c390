"""Strategies for hypothesis: events of two runs, with ties and conflicts."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from scheduler.events.schema import (
    Event,
    LogLine,
    ReportStored,
    RunExpired,
    RunFailed,
    RunLogged,
    RunProgressed,
    RunQueued,
    RunReceived,
    RunRetried,
    RunRevoked,
    RunStarted,
    RunSucceeded,
    ScheduleDeleted,
    ScheduleDisabled,
    TicksMissed,
    run_event,
)
from tests.support.builders import NOON, a_saved_event, a_schedule, facts_of

# Few values of each, so that ties and conflicts are the rule.
RUNS = st.sampled_from(["run-1", "run-2"])

ATTEMPTS = st.sampled_from([1, 1, 2])

MOMENTS = st.integers(0, 3).map(lambda seconds: NOON + timedelta(seconds=seconds))

WORKERS = st.sampled_from([None, "w1@host", "w2@host"])

WORDS = st.sampled_from(["a", "b"])

SCHEDULE = a_schedule()

FACTS = st.builds(
    lambda queue, tick, queued_at: facts_of(SCHEDULE, tick, queue=queue, queued_at=queued_at),
    WORDS,
    MOMENTS,
    st.none() | MOMENTS,
)


def run_events(kind: Any, **parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Event]:
    return st.builds(
        lambda run, attempt, at, worker, **more: run_event(
            kind, run, attempt, at, worker=worker, **more
        ),
        RUNS,
        ATTEMPTS,
        MOMENTS,
        WORKERS,
        **parts,
    )


MISSED = st.builds(
    lambda at, reason, ticks: TicksMissed(
        at=at,
        schedule="s",
        schedule_uid="u",
        revision=1,
        job="j",
        reason=reason,
        tick_from=NOON,
        tick_to=NOON,
        ticks=ticks,
    ),
    MOMENTS,
    st.sampled_from(["coalesced", "scheduler_down"]),
    st.sampled_from([1, 2]),
)

REPORTS = st.builds(
    lambda at, title: ReportStored(
        at=at,
        report="rep",
        run="run-1",
        title=title,
        path="p",
        media_type="text/csv",
        size=1,
        sha256="0" * 64,
    ),
    MOMENTS,
    WORDS,
)

LOGS = st.builds(
    lambda run, attempt, at, text: RunLogged(
        run=run,
        attempt=attempt,
        at=at,
        first=0,
        lines=[LogLine(at=at, level="INFO", logger="l", text=text)],
    ),
    RUNS,
    ATTEMPTS,
    MOMENTS,
    WORDS,
)

CHANGES = st.builds(
    lambda kind, at, actor: kind(
        at=at, uid=SCHEDULE.uid, revision=2, actor=actor, schedule=SCHEDULE
    ),
    st.sampled_from([ScheduleDisabled, ScheduleDeleted]),
    MOMENTS,
    WORDS,
) | st.builds(lambda at: a_saved_event(SCHEDULE, at), MOMENTS)

EVENTS = st.one_of(
    run_events(RunQueued, facts=FACTS),
    run_events(RunReceived, facts=FACTS),
    run_events(RunStarted),
    run_events(
        RunProgressed,
        done=st.sampled_from([1.0, 2.0]),
        total=st.sampled_from([None, 4.0]),
        text=WORDS,
    ),
    LOGS,
    run_events(RunRetried, error=WORDS),
    run_events(RunSucceeded, result=WORDS),
    run_events(RunFailed, error=WORDS),
    run_events(RunExpired),
    run_events(RunRevoked, actor=st.none() | WORDS),
    MISSED,
    REPORTS,
    CHANGES,
)


@st.composite
def told_twice(draw: st.DrawFn) -> tuple[list[Event], list[list[Event]]]:
    """A set of events, and the same set shuffled, with repetitions, cut into batches."""
    events = draw(st.lists(EVENTS, min_size=1, max_size=14))
    again = draw(st.permutations(events + draw(st.lists(st.sampled_from(events), max_size=6))))
    cuts = sorted(draw(st.sets(st.integers(0, len(again)), max_size=4)))
    batches = [again[start:end] for start, end in zip([0, *cuts], [*cuts, len(again)], strict=True)]
    return events, batches
