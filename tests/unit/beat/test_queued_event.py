"""The event of a schedule's run, made from a text that is kept, is what the model would write."""

from datetime import datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from scheduler.beat.fast import queued_event
from scheduler.events.schema import FIELD, RunFacts, RunQueued, encode
from scheduler.rules.model.identity import tick_text
from scheduler.runs.own_header import LONGEST_NAME
from tests.support.builders import NOON, a_schedule

MOMENTS = st.integers(-(10**15), 10**15).map(lambda micros: NOON + timedelta(microseconds=micros))
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12
) | st.sampled_from(["%s", "%(run)s", "r1", "2026-11-21T12:00:00Z", "2026-11-21T11:00:00Z"])


@given(MOMENTS, MOMENTS, TEXTS.filter(bool))
@example(NOON + timedelta(hours=2), NOON + timedelta(hours=1), "2026-11-21T12:00:00Z")
@example(NOON + timedelta(hours=2), NOON + timedelta(hours=1), "2026-11-21T11:00:00Z")
@example(NOON + timedelta(hours=2), NOON + timedelta(hours=1), "r1")
@example(NOON + timedelta(hours=2), NOON + timedelta(hours=1), "100 %")
@example(NOON, NOON - timedelta(hours=1), "\x01\x02\x03\x04")
@example(NOON, NOON - timedelta(hours=1), "\x7frun\x7f")
def test_a_runs_event_is_written_as_by_the_model(at: datetime, tick: datetime, text: str) -> None:
    schedule = a_schedule(text, job=text)
    pattern = queued_event.pattern(schedule, [text, 1], {"k": text}, text, 2000)
    assert pattern is not None
    facts = RunFacts(
        job=text,
        args=[text, 1],
        kwargs={"k": text},
        schedule=text,
        schedule_uid=schedule.uid,
        revision=schedule.revision,
        tick=tick,
        trigger="schedule",
        queue=text,
        queued_at=at,
    )
    for run in ("r1", "r2"):
        event = RunQueued(run=run, attempt=1, seq=10, at=at, facts=facts)
        assert (
            queued_event.filled(pattern, run, tick_text(tick), tick_text(at))
            == encode(event)[FIELD]
        )


def test_a_name_that_has_to_be_cut_is_left_to_the_model() -> None:
    whole, cut = "n" * LONGEST_NAME, "n" * (LONGEST_NAME + 1)
    assert queued_event.pattern(a_schedule(whole), [], {}, whole, 2000) is not None
    assert queued_event.pattern(a_schedule(cut), [], {}, "default", 2000) is None
    assert queued_event.pattern(a_schedule(whole), [], {}, cut, 2000) is None
