"""The plan for a single tick is what all rules decide together."""

from datetime import timedelta
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from scheduler.beat.fast.single_tick import plan_single_tick
from scheduler.dispatch.plan import plan
from scheduler.redbeat.codec import Meta, StoredSchedule
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.model.spec import (
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
