"""Entries with any JSON anywhere: each is sent or set aside with its reason, and Beat goes on."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from celery.beat import Scheduler as AnyScheduler
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from scheduler.beat.planner import Planner
from scheduler.clock import utc_now
from scheduler.messages import envelope, options
from scheduler.publishing.calls import Call
from scheduler.publishing.kombu_commands import Renderer
from scheduler.publishing.message_template import Template
from scheduler.redbeat import codec
from scheduler.redbeat.codec import Meta
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.beat.due_entries import due_entry
from tests.support.beat.ours import our_beat
from tests.support.builders import NOON, a_schedule, every
from tests.support.hostile import KINDS, with_value
from tests.support.schedules.contents import messages
from tests.support.schedules.raw_entries import CRONTAB, definition
from tests.support.schedules.store import leading_beat

FIELDS = ("name", "task", "args", "kwargs", "options", "schedule", "enabled", "unknown")
PARTS_OF_A_SCHEDULE = ("__type__", "every", "relative", *sorted(set(CRONTAB) - {"__type__"}))
PARTS_OF_A_RRULE = (
    *("freq", "dtstart", "dtstart_tz", "interval", "wkst", "count", "until", "until_tz"),
    *("bysetpos", "bymonth", "bymonthday", "byyearday", "byeaster", "byweekno", "byweekday"),
    *("byhour", "byminute", "bysecond"),
)
PARTS_OF_META = ("last_run_at", "total_run_count", "unknown")
OWN_PARTS = (
    *("v", "uid", "revision", "digest", "origin", "updated_at", "timezone", "dst_gap", "anchor"),
    *("when", "stands_for", "policies", "window", "paused", "skips", "held", "tags", "override"),
    "approval",
)
SECONDLY = {"__type__": "rrule", "freq": "SECONDLY", "dtstart_tz": 0}
A_FEW = 30
"""Entries that are due at once: stock Beat loads all of them before it renews its lock."""

OWN_UID = "00000000-0000-4000-8000-000000000000"
OPTIONS = sorted({*options.known(), "unknown"})


def put(
    redis: Redis, name: str, text: str, meta: str | None = None, own: str | None = None
) -> None:
    """Write a due entry."""
    fields = {"definition": text, "meta": meta, "beatdesk": own}
    redis.hset(keys.entry(name), mapping={key: text for key, text in fields.items() if text})
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry(name): utc_now().timestamp() - 1})


def put_neighbour(redis: Redis) -> None:
    put(redis, "neighbour", definition(name="neighbour", task="good", options={"queue": "good"}))


def variants() -> Iterator[tuple[str, str, str | None, str | None]]:
    """Every field of an entry with every kind of JSON: name, definition, meta, own field."""
    for kind, text in KINDS.items():
        for option in OPTIONS:
            name = f"options.{option} {kind}"
            yield name, with_value(definition(name=name, options={option: "@"}), text), None, None
        for part in FIELDS:
            name = f"{part} {kind}"
            yield (
                name,
                with_value(definition(name=name)[:-1] + f', "{part}": "@"}}', text),
                None,
                None,
            )
        for part in PARTS_OF_A_SCHEDULE:
            name = f"schedule.{part} {kind}"
            rule = CRONTAB | {part: "@"} if part in CRONTAB else {"__type__": "interval", part: "@"}
            yield name, with_value(definition(name=name, schedule=rule), text), None, None
        for part in PARTS_OF_A_RRULE:
            name = f"rrule.{part} {kind}"
            rule = SECONDLY | {"dtstart": 1_700_000_000} | {part: "@"}
            yield name, with_value(definition(name=name, schedule=rule), text), None, None
        for part in PARTS_OF_META:
            name = f"meta.{part} {kind}"
            meta = json.dumps({"last_run_at": None, part: "@"})
            yield name, definition(name=name), with_value(meta, text), None
        for part in OWN_PARTS:
            name = f"beatdesk.{part} {kind}"
            own = {"v": 1, "uid": OWN_UID, "revision": 1}
            own = own | {"digest": "x", part: "@"}
            yield name, definition(name=name), None, with_value(json.dumps(own), text)
        name = f"whole {kind}"
        yield name, text, text, text


def run_until_nothing_is_due(beat: AnyScheduler, redis: Redis, seconds: float) -> None:
    """Let Beat turn until no entry is due, for `seconds` at most."""
    until = time.monotonic() + seconds
    while redis.zcount(keys.SCHEDULE_ZSET, 0, utc_now().timestamp() - 0.5):
        beat.tick()
        assert time.monotonic() < until, "some entries stay due"


def batched(items: Iterator[Any], size: int) -> Iterator[list[Any]]:
    while few := list(islice(items, size)):
        yield few


@pytest.fixture(params=["ours", "stock"])
def any_beat(request: pytest.FixtureRequest, services: Services) -> Iterator[AnyScheduler]:
    """A leading Beat of either class."""
    if request.param == "ours":
        scheduler: AnyScheduler = our_beat(services)
        yield scheduler
        scheduler.close()
    else:
        yield request.getfixturevalue("stock_beat")


@pytest.fixture
def stock_beat(services: Services) -> Iterator[AnyScheduler]:
    yield from leading_beat(services)


def test_every_field_of_an_entry_may_hold_every_kind_of_json(
    any_beat: AnyScheduler, redis: Redis, services: Services
) -> None:
    for few in batched(variants(), A_FEW):
        for name, text, meta, own in few:
            put(redis, name, text, meta, own)
        run_until_nothing_is_due(any_beat, redis, 30)
    put_neighbour(redis)
    run_until_nothing_is_due(any_beat, redis, 30)
    assert [sent["headers"]["task"] for sent in messages(redis, "good")] == ["good"]
    reasons = redis.hgetall(keys.ASIDE_HASH)
    assert all(json.loads(record)["why"] for record in reasons.values())
    assert {"options.headers letter", "options.soft_time_limit letter"} <= reasons.keys()
    for queue in redis.scan_iter("*", _type="list"):
        for text in redis.lrange(queue, 0, -1):
            message = json.loads(text)
            fault = envelope.fault_of(message["headers"], message["properties"])
            assert fault is None, message["headers"]


@pytest.mark.parametrize(
    ("header", "value"), [("timelimit", ["a", None]), ("compression", ["a"]), ("meth", 5)]
)
def test_options_are_judged_also_where_a_message_of_the_job_is_at_hand(
    any_beat: AnyScheduler, redis: Redis, header: str, value: Any
) -> None:
    put_neighbour(redis)
    run_until_nothing_is_due(any_beat, redis, 20)
    meta = codec.encode_meta(Meta(utc_now() - timedelta(seconds=90), 1))
    minutely = CRONTAB | {"minute": "*"}
    hostile = {"queue": "good", "headers": {header: value}}
    for name, options_of_it in (("hostile", hostile), ("good", {"queue": "good"})):
        text = definition(name=name, task="good", options=options_of_it, schedule=minutely)
        put(redis, name, text, meta)
    run_until_nothing_is_due(any_beat, redis, 20)
    sent = messages(redis, "good")
    assert len(sent) >= 2
    assert all(message["headers"].get(header) != value for message in sent)
    reason = json.loads(redis.hget(keys.ASIDE_HASH, "hostile") or "{}")["why"]
    assert f"options.headers.{header} is {value!r}, not a" in reason


def test_an_entry_of_which_no_plan_can_be_made_is_set_aside_and_its_neighbour_runs(
    any_beat: AnyScheduler, redis: Redis
) -> None:
    for year in (1, 9999):
        last = Meta(datetime(year, 12, 31, 23, 59, tzinfo=UTC), 1)
        own = {"v": 1, "uid": OWN_UID, "revision": 1, "digest": "x"}
        own |= {"window": {"starts_at": "0001-01-01T00:00:00Z"}}
        name = f"year {year}"
        put(redis, name, definition(name=name), codec.encode_meta(last), json.dumps(own))
    put_neighbour(redis)
    run_until_nothing_is_due(any_beat, redis, 20)
    reasons = redis.hgetall(keys.ASIDE_HASH)
    assert reasons.keys() == {"year 1", "year 9999"}
    assert all("its ticks cannot be computed" in json.loads(why)["why"] for why in reasons.values())
    assert [sent["headers"]["task"] for sent in messages(redis, "good")] == ["good"]


class FaultyRenderer(Renderer):
    """A renderer with a fault that only one job meets, while its template is looked for."""

    def template(self, call: Call) -> Template | None:
        if call.job == "faulty":
            raise ArithmeticError("a fault of ours")
        return super().template(call)


def test_an_entry_that_meets_any_fault_while_it_is_planned_costs_only_itself(
    redis: Redis, services: Services
) -> None:
    last = Meta(NOON)
    entries = [
        due_entry(a_schedule(job, job, when=every(60, NOON)), last) for job in ("faulty", "sound")
    ]
    renderer = FaultyRenderer(services.celery)
    planner = Planner(services.celery, redis, renderer, 2000)
    faulty, sound = planner.entry_writes(entries, NOON + timedelta(seconds=61))
    renderer.reset()
    assert faulty.quarantined == "it cannot be planned: ArithmeticError: a fault of ours"
    assert sound.run


GOOD = definition(
    name="mutated", schedule=SECONDLY | {"dtstart": 1_700_000_000}, options={"queue": "mutated"}
)
MUTATIONS = st.lists(
    st.tuples(
        st.integers(0, len(GOOD) - 1),
        st.integers(0, 12),
        st.sampled_from([*KINDS.values(), "", "{", "]", ",", ":", "\\", "0", "-", "9" * 18]),
    ),
    min_size=1,
    max_size=3,
)


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(MUTATIONS, min_size=20, max_size=A_FEW))
def test_a_good_entry_with_some_characters_changed_never_ends_beat(
    any_beat: AnyScheduler, redis: Redis, changes: list[list[tuple[int, int, str]]]
) -> None:
    for number, mutation in enumerate(changes):
        name = f"mutated{number}"
        text = GOOD.replace("mutated", name, 1)
        for at, removed, inserted in mutation:
            text = text[:at] + inserted + text[at + removed :]
        redis.delete(keys.entry(name))
        put(redis, name, text)
    redis.delete(keys.entry("neighbour"), "good")
    put_neighbour(redis)
    until = time.monotonic() + 20
    while not redis.llen("good"):
        any_beat.tick()
        assert time.monotonic() < until, "the neighbour is not sent"
