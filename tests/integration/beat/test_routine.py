"""A routine sends what all rules and Celery itself would send: the same message, event, lease and
memory.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
from celery import signals
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kombu import Exchange, Queue

from scheduler.beat.due_entries import DueEntry
from scheduler.beat.entry_cache import DecodedEntryCache
from scheduler.beat.planner import Planner
from scheduler.beat.steps import Step
from scheduler.publishing.kombu_commands import Renderer
from scheduler.redbeat import codec
from scheduler.redbeat.codec import Meta
from scheduler.rules.model.spec import Policies, Schedule, When
from scheduler.rules.ticks import next_tick
from scheduler.schedules import changes
from scheduler.services.services import Services
from tests.support.builders import NOON, a_saved_event, a_schedule, cron, every
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
    [every(60, NOON), every(3600, NOON), cron("* * * * *"), cron("30 4 * * *", "Europe/Berlin")]
)
POLICIES = st.builds(
    Policies,
    overlap=st.sampled_from(["allow", "skip"]),
    retries=st.sampled_from([0, 3]),
    run_timeout=st.sampled_from([None, 30]),
    pause_after_failures=st.sampled_from([None, 2]),
)


SCHEDULES = st.builds(
    a_schedule,
    NAMES,
    when=WHENS,
    args=st.lists(VALUES, max_size=3),
    kwargs=st.dictionaries(TEXTS, VALUES, max_size=3),
    policies=POLICIES,
    job=st.just(JOB),
    queue=st.sampled_from([None, BRIEF.name]),
)


@contextmanager
def a_listener() -> Iterator[None]:
    """Somebody hears of each message before it is published, so that Celery has to make each of
    them.
    """

    def hear(**_: Any) -> None: ...

    signals.before_task_publish.connect(hear, weak=False)
    try:
        yield
    finally:
        signals.before_task_publish.disconnect(hear)


def seen(schedule: Schedule, memory: Meta, *, plain: bool = False) -> DueEntry:
    """The entry as Beat reads it; `plain` as RedBeat's own code has written it."""
    raw = changes.written(schedule, None, None, NOON, a_saved_event(schedule, NOON)).raw
    assert raw.definition is not None
    assert raw.extra is not None
    name, extra = schedule.name.encode(), None if plain else raw.extra.encode()
    meta = codec.encode_meta(memory).encode()
    return DueEntry(
        b"redbeat:" + name, name, b"0", raw.definition.encode(), meta, extra, 0, 0, [], None
    )


def comparable(step: Step) -> list[Any]:
    """The step's parts; JSON read, the message's tag left out."""
    parts: list[Any] = []
    for part in step.parts:
        try:
            read = json.loads(part) if str(part).startswith("{") else part
        except ValueError:
            read = part
        if isinstance(read, dict):
            read.get("properties", {}).pop("delivery_tag", None)
        parts.append(read)
    return parts


@pytest.fixture
def planners(services: Services) -> Iterator[tuple[Planner, Planner]]:
    """One that has learnt from Celery how a message of the job looks, and one that has not."""
    services.celery.conf.task_queues = [Queue("default"), BRIEF]
    renderers = Renderer(services.celery, PATIENCE), Renderer(services.celery, PATIENCE)
    learnt, other = (
        Planner(services.celery, services.redis, renderer, LIMIT) for renderer in renderers
    )
    for policies, queue in product((Policies(), Policies(run_timeout=30)), (None, BRIEF.name)):
        first = a_schedule("first", when=every(60, NOON), job=JOB, policies=policies, queue=queue)
        learnt.steps([seen(first, Meta(NOON))], NOON + timedelta(seconds=60))
        learnt.steps(
            [seen(first.model_copy(update={"name": "second"}), Meta(NOON))],
            NOON + timedelta(seconds=60),
        )
    yield learnt, other
    for renderer in renderers:
        renderer.reset()


@given(SCHEDULES, st.none() | st.integers(0, 9), st.booleans())
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None
)
def test_a_routine_sends_what_all_rules_and_celery_send(
    planners: tuple[Planner, Planner], schedule: Schedule, count: int | None, plain: bool
) -> None:
    by_routine, by_rules = planners
    memory = Meta(NOON, count)
    for _ in range(2):
        entry = seen(schedule, memory, plain=plain)
        now = just_after(entry)
        (one,) = by_routine.steps([entry], now)
        with a_listener():
            (other,) = by_rules.steps([entry], now)
        assert comparable(one) == comparable(other)
        assert (one.score, one.run, one.cancel) == (other.score, other.run, other.cancel)
        memory = codec.decode_meta(one.parts[5])


def just_after(entry: DueEntry) -> datetime:
    """A moment at which the entry's next tick, and no other, is due."""
    decoded = DecodedEntryCache().known(entry).entry
    tick = next_tick(
        codec.anchored(decoded.schedule.when, decoded.meta), decoded.meta.last_run_at or NOON
    )
    assert tick is not None
    return tick + timedelta(seconds=1.5)


def test_most_messages_are_made_without_celery(planners: tuple[Planner, Planner]) -> None:
    planner, _ = planners
    renderer = planner.renderer
    assert isinstance(renderer, Renderer)
    asked = renderer.asked
    schedules = [a_schedule(f"due-{number}", when=every(60, NOON), job=JOB) for number in range(20)]
    schedules += [
        a_schedule(f"brief-{number}", when=every(60, NOON), job=JOB, queue="brief")
        for number in range(20)
    ]
    steps = planner.steps(
        [seen(one, Meta(NOON)) for one in schedules], NOON + timedelta(seconds=61)
    )
    assert len({step.run for step in steps}) == len(schedules)
    assert renderer.asked == asked
