"""Each tick of a random life of a schedule has exactly one verdict, with the right reason: against
a calculation that walks through the minutes and knows nothing of the product's rules.
"""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.ledger.independent import expected
from tests.support.ledger.lives import Action, Plot, World

BEGIN = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

ACTIONS = st.one_of(
    st.tuples(st.sampled_from(["pause", "resume", "off", "on", "delete", "create"]), st.just(0)),
    st.tuples(st.just("pause_for"), st.integers(2, 30)),
    st.tuples(st.just("edit"), st.sampled_from([1, 2, 3, 5])),
)


@st.composite
def plots(draw: st.DrawFn, *, outages: bool = True) -> Plot:
    minutes = draw(st.integers(10, 120))
    times = st.integers(1, minutes - 1)
    actions: dict[int, Action] = draw(st.dictionaries(times, ACTIONS, max_size=12))  # type: ignore[arg-type]
    actions[0] = ("create", 0)
    return Plot(
        step=draw(st.sampled_from([1, 2, 5])),
        catch_up=draw(st.sampled_from(["latest", "none"])),
        window_minutes=draw(st.sampled_from([5, 20, 60])),
        minutes=minutes,
        actions=actions,
        outages=draw(st.sets(times, max_size=6)) if outages else set(),
    )


@settings(max_examples=300, deadline=None)
@given(plots())
def test_each_tick_of_a_life_has_one_true_verdict(plot: Plot) -> None:
    world = World(plot, BEGIN)
    world.run()
    end = BEGIN + plot.minutes * timedelta(minutes=1)
    said = world.verdicts()
    certain, maybe = expected(plot, BEGIN)
    assert {tick: words for tick, words in said.items() if len(words) != 1} == {}
    assert world.doubled == set()
    assert {tick: words[0] for tick, words in said.items() if tick not in maybe} == certain
    assert all(tick < end for tick in said)


@settings(max_examples=100, deadline=None)
@given(plots())
def test_the_watcher_finds_no_hole_where_there_is_none(plot: Plot) -> None:
    world = World(plot, BEGIN)
    world.run()
    assert world.audit(BEGIN + plot.minutes * timedelta(minutes=1)) == []


@settings(max_examples=200, deadline=None)
@given(plots(), st.sets(st.integers(0, 200), min_size=1, max_size=5))
def test_a_row_that_was_lost_is_a_hole_that_the_watcher_fills(plot: Plot, lost: set[int]) -> None:
    world = World(plot, BEGIN)
    world.run()
    rows = list(world.rows.runs)
    gone = {rows[place % len(rows)] for place in lost} if rows else set()
    before = world.verdicts()
    for run in gone:
        del world.rows.runs[run]
    lost_ticks = before.keys() - world.verdicts().keys()
    world.record(world.audit(BEGIN + plot.minutes * timedelta(minutes=1)))
    after = world.verdicts()
    assert {tick: len(words) for tick, words in after.items()} == dict.fromkeys(before, 1)
    for tick in lost_ticks:
        (word,), (again,) = before[tick], after[tick]
        unknown = {"missed: unrecorded", "missed: scheduler_down"}
        assert again == word or (not word.startswith("skipped: ") and again in unknown)
