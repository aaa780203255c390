"""The fold gives the same rows for the same set of events: in any order, in any batches, with any
repetitions.
"""

from hypothesis import given
from hypothesis import strategies as st

from scheduler.events.schema import (
    Event,
    RunExpired,
    RunFailed,
    RunRevoked,
    RunSucceeded,
)
from scheduler.history.recording.projector import fold
from scheduler.history.recording.rows import Rows
from scheduler.rules.model.run_states import FINAL
from tests.support.history.events import EVENTS, told_twice


@given(told_twice())
def test_order_batches_and_repetitions_do_not_matter(
    told: tuple[list[Event], list[list[Event]]],
) -> None:
    events, batches = told
    rows = Rows()
    for batch in batches:
        rows = fold(rows, batch)
    assert rows == fold(Rows(), events)


@given(st.lists(EVENTS, max_size=14), EVENTS)
def test_a_run_that_has_ended_stays_ended(events: list[Event], later: Event) -> None:
    before = fold(Rows(), events)
    after = fold(before, [later])
    for run, row in before.runs.items():
        if row.state in FINAL:
            assert after.runs[run].state in FINAL
            assert after.runs[run].finished_at is not None


@given(st.lists(EVENTS, max_size=14))
def test_a_run_has_ended_exactly_when_an_event_says_so(events: list[Event]) -> None:
    ends = (RunSucceeded, RunFailed, RunExpired, RunRevoked)
    ended = {event.run for event in events if isinstance(event, ends)}
    rows = fold(Rows(), events).runs
    assert {
        run for run, row in rows.items() if row.state in FINAL and row.state != "missed"
    } == ended
    for row in rows.values():
        assert (row.finished_at is not None) == (row.state in FINAL)
