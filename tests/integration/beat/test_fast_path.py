"""The fast path does what the full path does: the same messages, events, leases, metas and
verdicts, byte for byte.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st
from kombu import Exchange, Queue

from scheduler.beat.due_entries import DueEntry
from scheduler.beat.entry_writes import EntryWrite
from scheduler.beat.fast.decoded_entries import decode
from scheduler.beat.planner import Planner
from scheduler.publishing.kombu_commands import Renderer
from scheduler.redbeat import codec
from scheduler.redbeat.codec import Meta
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.calendars.text import calendar_of
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import (
    OnceWhen,
    Pause,
    Policies,
    RedBeatWhen,
    RruleWhen,
    Schedule,
    When,
    Window,
)
from scheduler.rules.ticks import next_tick
from scheduler.services.services import Services
from tests.support.beat.due_entries import due_entry
from tests.support.beat.whole_form import whole_form
from tests.support.builders import NOON, a_schedule, cron, every
from tests.support.waiting import PATIENCE

JOB = "another.programs_job"
LIMIT = 2000
BRIEF = Queue("brief", Exchange("brief"), routing_key="brief", expires=30.0)
"""A queue that expires, for which Celery sends a second command with each message."""

TEXTS = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(
    [
        "50 %",
        "%(run)s",
        "\x01\x02\x03",
        '"',
        "\\",
        "it's",
        "redis://u:secret@host/1",
        "ü",
        "\x7f",
        "x" * 1200,
    ]
)
PLAIN = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(-1e300, 1e300) | TEXTS
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)
)
NAMES = st.from_regex(r"[a-zA-Z0-9ü_.%-]{1,30}", fullmatch=True) | st.just("n" * 300)
WHENS: st.SearchStrategy[When] = st.sampled_from(
    [
        every(60, NOON),
        every(3600, NOON),
        every(45),
        cron("* * * * *"),
        cron("30 4 * * *", "Europe/Berlin"),
        cron("0 12 L * mon#2", "Asia/Kolkata", day_match="or"),
        RruleWhen(rrule="FREQ=HOURLY;INTERVAL=2", dtstart=NOON, timezone="America/New_York"),
        OnceWhen(at=NOON + timedelta(hours=1)),
        RedBeatWhen(schedule={"__type__": "interval", "every": 60, "relative": True}),
    ]
)
POLICIES = st.builds(
    Policies,
    overlap=st.sampled_from(["skip", "allow", "queue_one", "queue_all", "cancel_previous"]),
    catch_up=st.sampled_from(["latest", "latest", "none", "all"]),
    catch_up_window=st.sampled_from([3600, 3600, 0, 1e9]),
    starting_deadline=st.sampled_from([None, None, 30]),
    run_timeout=st.sampled_from([None, 30]),
    retries=st.sampled_from([0, 3]),
    pause_after_failures=st.sampled_from([None, 2]),
    jitter=st.sampled_from([0, 0, 0, 20]),
)
MOMENTS = st.integers(-7200, 7200).map(lambda seconds: NOON + timedelta(seconds=seconds))
LIMITS: dict[str, st.SearchStrategy[Any]] = {
    "starts_at": MOMENTS,
    "ends_at": MOMENTS,
    "max_runs": st.sampled_from([1, 9]),
    "calendar": st.sampled_from(["weekend", "never", "gone"]),
}
EXCEPTIONS: dict[str, st.SearchStrategy[Any]] = {
    "enabled": st.just(False),
    "paused": st.builds(
        Pause,
        reason=st.just("mended"),
        by=st.just("ada"),
        since=st.just(NOON - timedelta(hours=2)),
        until=st.none() | MOMENTS,
    ),
    "skips": MOMENTS.map(lambda tick: [tick]),
}
WAITING = [
    WaitingTick(NOON - timedelta(hours=2)),
    WaitingTick(NOON - timedelta(hours=1), "backfill", "ada"),
]


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    """Any schedule; most of them with at most one thing in which the full path has a say."""
    odd = draw(st.sets(st.sampled_from([*LIMITS, *EXCEPTIONS]), max_size=1))
    exceptions = {name: draw(EXCEPTIONS[name]) for name in EXCEPTIONS if name in odd}
    return a_schedule(
        draw(NAMES),
        JOB,
        when=draw(WHENS),
        args=draw(st.lists(VALUES, max_size=3)),
        kwargs=draw(st.dictionaries(TEXTS, VALUES, max_size=3)),
        policies=draw(POLICIES),
        queue=draw(st.sampled_from([None, BRIEF.name])),
        priority=draw(st.sampled_from([None, None, 7])),
        window=Window(**{name: draw(LIMITS[name]) for name in LIMITS if name in odd}),
        **exceptions,
    )


@dataclass(frozen=True)
class Situation:
    """What Beat finds besides the schedule: runs that are alive, ticks that wait, how late it is
    in seconds, and whether RedBeat's own code wrote the entry.
    """

    alive: int = 0
    waiting: tuple[WaitingTick, ...] = ()
    late: float = 1.5
    foreign: bool = False


SITUATIONS = st.builds(
    Situation,
    alive=st.sampled_from([0, 0, 0, 1]),
    waiting=st.sampled_from([(), (), (), tuple(WAITING[:1]), tuple(WAITING[1:]), tuple(WAITING)]),
    late=st.sampled_from([1.5, 1.5, 0.0, -1.0, 20.0, 61.0, 7300.0]),
    foreign=st.sampled_from([False, False, True]),
)
METAS = st.builds(Meta, st.sampled_from([NOON, NOON, NOON, None]), st.none() | st.integers(0, 9))


def time_of_read(entry: DueEntry, late: float) -> datetime:
    """The moment `late` seconds after the entry's next tick, where that can be told."""
    decoded = decode(entry)
    when, last = decoded.schedule.when, decoded.meta.last_run_at
    if last is None or isinstance(when, RedBeatWhen):
        return NOON + timedelta(seconds=60 + late)
    tick = next_tick(codec.anchored(when, decoded.meta), last)
    return (tick or last) + timedelta(seconds=late)


RANDOM_TAG = re.compile(r'"delivery_tag": "[0-9a-f-]{36}"')
EXPIRATION = re.compile(r'"expiration": "\d+"')
"""The milliseconds until a message expires: Celery counts them from its own clock, not from the
time of the look.
"""


def written(write: EntryWrite) -> list[Any]:
    """What the script is given, without what is random or counted from the machine's clock."""
    return [
        EXPIRATION.sub("", RANDOM_TAG.sub("", part)) if isinstance(part, str) else part
        for part in whole_form(write)
    ]


@pytest.fixture
def planners(services: Services) -> Iterator[tuple[Planner, Planner]]:
    """One with the fast path, whose renderer has templates already, and one without."""
    app = services.celery
    app.conf.task_queues = [Queue("default"), BRIEF]
    for name, lines in (("weekend", ["sat-sun"]), ("never", ["2020-01-01"])):
        services.calendars.save(
            calendar_of(name, lines), revision=None, edit=Edit(actor="ada", now=NOON)
        )
    renderers = Renderer(app, PATIENCE), Renderer(app, PATIENCE, templates=False)
    fast = Planner(app, services.redis, renderers[0], LIMIT)
    full = Planner(app, services.redis, renderers[1], LIMIT, fast_path=False)
    for policies, queue in product((Policies(), Policies(run_timeout=30)), (None, BRIEF.name)):
        first = a_schedule("first", when=every(60, NOON), job=JOB, policies=policies, queue=queue)
        fast.entry_writes([due_entry(first, Meta(NOON))], NOON + timedelta(seconds=60))
    yield fast, full
    for renderer in renderers:
        renderer.reset()


@given(schedules(), METAS, st.lists(SITUATIONS, min_size=2, max_size=3))
@example(
    a_schedule("waits", JOB, when=every(60, NOON)),
    Meta(NOON, 4),
    [Situation(), Situation(waiting=(WAITING[0],)), Situation(waiting=(WAITING[1],))],
)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None
)
def test_the_fast_path_does_what_the_full_path_does(
    planners: tuple[Planner, Planner], schedule: Schedule, meta: Meta, situations: list[Situation]
) -> None:
    fast, full = planners
    for found in situations:
        entry = due_entry(
            schedule, meta, alive=found.alive, waiting=found.waiting, foreign=found.foreign
        )
        now = time_of_read(entry, found.late)
        (one,) = fast.entry_writes([entry], now)
        (other,) = full.entry_writes([entry], now)
        assert written(one) == written(other)
        assert (one.score, one.run, one.cancel) == (other.score, other.run, other.cancel)
        assert (one.quarantined, one.refused, one.gone) == (
            other.quarantined,
            other.refused,
            other.gone,
        )
        event("sends a run" if one.run else "sends none")
        event("in the usual form" if one.usual else "in the whole form")
        parts = whole_form(one)
        if parts and parts[1][3] == "1":
            meta = codec.decode_meta(parts[5])


def test_most_messages_are_made_without_celery(planners: tuple[Planner, Planner]) -> None:
    planner, _ = planners
    renderer = planner.renderer
    assert isinstance(renderer, Renderer)
    made = renderer.made_by_celery
    assert len(sent_by(planner)) == 40
    assert renderer.made_by_celery == made


def test_with_the_fast_path_off_celery_makes_every_message(
    planners: tuple[Planner, Planner],
) -> None:
    _, planner = planners
    renderer = planner.renderer
    assert isinstance(renderer, Renderer)
    made = renderer.made_by_celery
    assert len(sent_by(planner)) == 40
    assert renderer.made_by_celery == made + 40


def sent_by(planner: Planner) -> set[str]:
    """The runs of forty plain schedules that are due, in two queues."""
    schedules = [
        a_schedule(f"{queue}-{number}", when=every(60, NOON), job=JOB, queue=queue)
        for number, queue in product(range(20), (None, BRIEF.name))
    ]
    entries = [due_entry(schedule, Meta(NOON)) for schedule in schedules]
    return {write.run for write in planner.entry_writes(entries, NOON + timedelta(seconds=61))} - {
        ""
    }
