"""The plan for a single tick is what all rules decide together."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from scheduler.beat.fast.single_tick import TickPairs, plan_single_tick, single_tick
from scheduler.dispatch.plan import plan
from scheduler.redbeat import codec
from scheduler.redbeat.codec import Meta, StoredSchedule
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.model.spec import (
    IntervalWhen,
    OnceWhen,
    Pause,
    Policies,
    When,
    Window,
)
from tests.support.builders import NOON, a_schedule, cron, every

OVERLAPS = ["skip", "allow", "queue_one", "queue_all", "cancel_previous"]
SECONDS = st.integers(-7300, 7300).map(lambda seconds: NOON + timedelta(seconds=seconds)) | st.just(
    NOON
)
WHENS: st.SearchStrategy[When] = st.one_of(
    st.builds(every, st.sampled_from([1.0, 7.5, 60.0, 3600.0]), st.none() | SECONDS),
    st.builds(
        cron,
        st.sampled_from(["* * * * *", "0 * * * *", "0 12 * * *"]),
        st.sampled_from(["UTC", "Asia/Kolkata"]),
    ),
    st.builds(OnceWhen, at=SECONDS),
)
POLICIES: dict[str, st.SearchStrategy[Any]] = {
    "overlap": st.sampled_from(OVERLAPS),
    "catch_up": st.sampled_from(["latest", "none", "all"]),
    "catch_up_window": st.sampled_from([0, 5, 3600, 1e9]),
    "starting_deadline": st.sampled_from([None, None, 3, 60, 1e6]),
    "jitter": st.sampled_from([0, 0, 0, 30]),
}
LIMITS: dict[str, st.SearchStrategy[Any]] = {
    "starts_at": st.none() | SECONDS,
    "ends_at": st.none() | SECONDS,
    "max_runs": st.sampled_from([None, 1, 9]),
    "calendar": st.sampled_from([None, None, "holidays"]),
}
REST: dict[str, st.SearchStrategy[Any]] = {
    "enabled": st.sampled_from([True, True, False]),
    "paused": st.just(Pause(reason="", by="ada", since=NOON - timedelta(hours=1), until=NOON)),
    "skips": SECONDS.map(lambda tick: [tick]),
}


@st.composite
def entries(draw: st.DrawFn) -> StoredSchedule:
    """Mostly plain ones; now and then with something that takes the long way."""
    policies = {name: draw(values) for name, values in POLICIES.items()}
    odd = draw(st.sets(st.sampled_from([*LIMITS, *REST]), max_size=1))
    window = Window(**{name: draw(values) for name, values in LIMITS.items() if name in odd})
    rest = {name: draw(values) for name, values in REST.items() if name in odd}
    schedule = a_schedule(when=draw(WHENS), policies=Policies(**policies), window=window, **rest)
    return StoredSchedule(
        schedule, Meta(draw(st.none() | SECONDS), draw(st.none() | st.integers(0, 9)))
    )


@given(
    entries(),
    st.sampled_from([0, 0, 1]),
    st.sampled_from([(), (), (WaitingTick(NOON - timedelta(hours=2)),)]),
)
@example(
    StoredSchedule(
        a_schedule(when=every(60), policies=Policies(catch_up="none")),
        Meta(NOON - timedelta(seconds=70)),
    ),
    0,
    (),
)
@example(
    StoredSchedule(
        a_schedule(when=every(60), policies=Policies(catch_up_window=0)), Meta(NOON - timedelta(60))
    ),
    0,
    (),
)
@example(
    StoredSchedule(
        a_schedule(when=every(60, NOON), policies=Policies(jitter=30)), Meta(NOON - timedelta(90))
    ),
    0,
    (),
)
@example(
    StoredSchedule(
        a_schedule(when=every(60), policies=Policies(jitter=30)), Meta(NOON - timedelta(seconds=65))
    ),
    0,
    (),
)
@example(
    StoredSchedule(a_schedule(when=every(3600)), Meta(NOON - timedelta(seconds=3605), 4)), 0, ()
)
@example(
    StoredSchedule(a_schedule(when=every(5, NOON)), Meta(NOON - timedelta(seconds=10), 4)), 0, ()
)
@example(
    StoredSchedule(
        a_schedule(when=every(60), window=Window(starts_at=NOON)),
        Meta(NOON - timedelta(seconds=65)),
    ),
    0,
    (),
)
@example(
    StoredSchedule(a_schedule(when=every(3600)), Meta(NOON - timedelta(seconds=3605), 4)), 2, ()
)
def test_the_short_way_and_the_long_one_are_the_same(
    entry: StoredSchedule, alive: int, held: tuple[WaitingTick, ...]
) -> None:
    short = plan_single_tick(entry, NOON, alive, held)
    assert short is None or short == plan(entry, NOON, alive, held)


def test_a_plain_schedule_with_one_tick_due_goes_the_short_way() -> None:
    entry = StoredSchedule(a_schedule(when=every(60, NOON)), Meta(NOON))
    plain = plan_single_tick(entry, NOON + timedelta(seconds=61), 0, ())
    assert plain is not None
    assert plain.send == NOON + timedelta(seconds=60)


@given(
    st.sampled_from([0.5, 1, 45, 60, 3600, 1e9, 2.5e11]),
    st.none() | SECONDS,
    st.lists(SECONDS, min_size=1, max_size=4),
    SECONDS,
    st.sampled_from([1.0, 60.0, 1e6]),
)
def test_the_ticks_of_an_interval_are_the_same_by_its_own_arithmetic(
    seconds: float, anchor: datetime | None, lasts: list[datetime], now: datetime, within: float
) -> None:
    when = IntervalWhen(every=seconds, anchor=anchor)
    age = timedelta(seconds=within)
    pairs = TickPairs(when, anchor, age)
    for last in lasts:
        rule = codec.anchored(when, Meta(last))
        assert outcome(pairs.after, last, now) == outcome(single_tick, rule, last, now, age)


@given(WHENS, st.lists(SECONDS, min_size=1, max_size=4), SECONDS)
def test_the_ticks_of_any_rule_are_the_same_one_after_the_other(
    when: When, lasts: list[datetime], now: datetime
) -> None:
    age = timedelta(hours=9)
    pairs = TickPairs(when, when.anchor if isinstance(when, IntervalWhen) else None, age)
    for first in lasts:
        last: datetime | None = first
        while last is not None:
            rule = codec.anchored(when, Meta(last))
            ticks = pairs.after(last, now)
            assert ticks == single_tick(rule, last, now, age)
            last = None if ticks is None else ticks[0]


def outcome(compute: Callable[..., object], *arguments: Any) -> object:
    """What is computed; None where a moment is beyond the calendar, which both ways leave to the
    full path.
    """
    try:
        return compute(*arguments)
    except OverflowError:
        return None
