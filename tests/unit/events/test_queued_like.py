"""The event of an entry's next run, made from the text of the last one, is what the model would write."""

from datetime import datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from scheduler.events.schema import FIELD, RunFacts, RunQueued, encode, queued_like, queued_pattern
from tests.support.builders import NOON

MOMENTS = st.integers(-(10**15), 10**15).map(lambda micros: NOON + timedelta(microseconds=micros))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["%s", "%(run)s", "r1", "2026-11-21T12:00:00Z", "2026-11-21T11:00:00Z"]
)


def queued(run: str, at: datetime, tick: datetime, text: str) -> RunQueued:
    facts = RunFacts(job="a.b", args=[text, 1], kwargs={"k": text}, schedule=text, tick=tick, queued_at=at)
    return RunQueued(run=run, attempt=1, seq=10, at=at, facts=facts)


@given(MOMENTS, MOMENTS, TEXTS)
@example(NOON + timedelta(hours=2), NOON + timedelta(hours=1), "2026-11-21T12:00:00Z")
@example(NOON + timedelta(hours=2), NOON + timedelta(hours=1), "2026-11-21T11:00:00Z")
@example(NOON + timedelta(hours=2), NOON + timedelta(hours=1), "r1")
@example(NOON + timedelta(hours=2), NOON + timedelta(hours=1), "100 %")
def test_the_next_runs_event_is_written_as_by_the_model(at: datetime, tick: datetime, text: str) -> None:
    first = queued("r1", NOON, NOON - timedelta(hours=1), text)
    pattern = queued_pattern(encode(first)[FIELD], first)
    if pattern is None:
        assert text in ("r1", "2026-11-21T12:00:00Z", "2026-11-21T11:00:00Z")
    else:
        assert queued_like(pattern, "r2", at, tick) == encode(queued("r2", at, tick, text))[FIELD]
