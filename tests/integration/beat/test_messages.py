"""Our messages are stock Beat's, byte for byte but for ids of deliveries and moments of sending; on
a real server.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery, signals
from redis import Redis

from scheduler.celery_app.app import create_app
from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.clock import utc_now
from scheduler.publishing.calls import NotTaken, Unsendable
from scheduler.publishing.kombu_commands import Renderer
from scheduler.settings.schema import Settings
from scheduler.worker.signals import RunSignals
from tests.support.beat.golden import (
    BY_CELERY,
    RUN,
    TEMPLATED,
    again_by_us,
    by_stock,
    by_us,
    call_of,
)
from tests.support.golden_jobs import JOB, set_up
from tests.support.waiting import PATIENCE


@pytest.fixture
def app(settings: Settings) -> Iterator[Celery]:
    """An app with every kind of queue, and jobs with options of their own."""
    app = create_app(settings)
    set_up(app)
    yield app
    app.close()


@pytest.fixture
def renderer(app: Celery) -> Iterator[Renderer]:
    """The maker of messages."""
    renderer = Renderer(app, PATIENCE)
    yield renderer
    renderer.reset()


def queues_with_messages(redis: "Redis", prefix: str = "") -> list[str]:
    """What is a queue now: one without messages is no key."""
    return [key for key in redis.scan_iter(prefix + "*") if redis.type(key) == "list"]


def case(said: dict[str, Any]) -> Any:
    """The call of a row of the tables."""
    return call_of(said.get("job", JOB), said.get("args"), said.get("kwargs"), said.get("options"))


@pytest.mark.parametrize("said", TEMPLATED.values(), ids=TEMPLATED)
def test_a_message_is_stocks_and_the_second_is_made_without_celery(
    said: dict[str, Any], app: Celery, renderer: Renderer, redis: "Redis"
) -> None:
    stock = by_stock(app, redis, case(said))
    assert by_us(app, renderer, redis, case(said)) == stock
    assert again_by_us(renderer, redis, case(said)) == stock
    assert renderer.made_by_celery == 1


@pytest.mark.parametrize("said", BY_CELERY.values(), ids=BY_CELERY)
def test_where_others_have_a_say_celery_makes_each_message(
    said: dict[str, Any], app: Celery, renderer: Renderer, redis: "Redis"
) -> None:
    bound = said.get("bound", False)
    stock = by_stock(app, redis, case(said), bound=bound)
    assert not bound or queues_with_messages(redis), "it has come to a queue"
    assert by_us(app, renderer, redis, case(said), bound=bound) == stock
    assert again_by_us(renderer, redis, case(said)) == stock
    assert renderer.made_by_celery == 2


@pytest.mark.parametrize(
    "options",
    [
        {"global_keyprefix": "ours:"},
        {"priority_steps": [0, 2, 4], "sep": ":"},
        {"fanout_prefix": "/elsewhere.", "fanout_patterns": False},
        {"fanout_prefix": False},
    ],
    ids=["prefix", "priorities", "broadcasts elsewhere", "broadcasts without a prefix"],
)
@pytest.mark.parametrize("name", TEMPLATED)
def test_options_of_the_transport_are_followed(
    name: str, options: dict[str, Any], app: Celery, renderer: Renderer, redis: "Redis"
) -> None:
    app.conf.broker_transport_options = {**app.conf.broker_transport_options, **options}
    stock = by_stock(app, redis, case(TEMPLATED[name]))
    assert by_us(app, renderer, redis, case(TEMPLATED[name])) == stock
    assert again_by_us(renderer, redis, case(TEMPLATED[name])) == stock
    assert renderer.made_by_celery == 1


@pytest.mark.parametrize("name", ["by topic", "a queue of a topic", "by direct exchange"])
def test_a_prefix_of_all_keys_is_that_of_bindings_too(
    name: str, app: Celery, renderer: Renderer, redis: "Redis"
) -> None:
    app.conf.broker_transport_options = {
        **app.conf.broker_transport_options,
        "global_keyprefix": "ours:",
    }
    stock = by_stock(app, redis, case(BY_CELERY[name]), bound=True)
    assert any(key.startswith("ours:_kombu.binding") for key in stock)
    assert queues_with_messages(redis, "ours:") != []
    assert by_us(app, renderer, redis, case(BY_CELERY[name]), bound=True) == stock
    assert again_by_us(renderer, redis, case(BY_CELERY[name])) == stock


@pytest.mark.parametrize(
    "conf",
    [
        {"task_send_sent_event": True},
        {"task_compression": "gzip"},
        {"task_serializer": "yaml"},
        {"task_routes": [lambda name, *args, **options: {"queue": f"of-{name}"}]},
        {"task_protocol": 1},
    ],
    ids=["sent-events", "compression", "serializer", "route by code", "old protocol"],
)
def test_settings_that_let_others_speak_are_left_to_celery(
    conf: dict[str, Any], app: Celery, renderer: Renderer, redis: "Redis"
) -> None:
    app.conf.update(conf)
    call = case(TEMPLATED["arguments"])
    stock = by_stock(app, redis, call)
    assert by_us(app, renderer, redis, call) == stock
    assert again_by_us(renderer, redis, call) == stock
    assert renderer.made_by_celery == 2


@pytest.mark.parametrize("signal", ["before_task_publish", "after_task_publish", "task_sent"])
def test_receivers_of_others_hear_of_each_message(
    signal: str, app: Celery, renderer: Renderer, redis: "Redis"
) -> None:
    heard: list[str] = []

    def listen(sender: Any = None, headers: Any = None, **_: Any) -> None:
        heard.append(sender)
        if signal == "before_task_publish":
            headers["heard"] = len(headers)

    renderer.render(case({}), utc_now())
    getattr(signals, signal).connect(listen)
    try:
        stock = by_stock(app, redis, case({}))
        assert by_us(app, renderer, redis, case({})) == stock
        assert again_by_us(renderer, redis, case({})) == stock
    finally:
        getattr(signals, signal).disconnect(listen)
    assert heard == [JOB] * 3
    assert renderer.made_by_celery == 3


def test_what_is_told_of_a_message_is_the_same_on_both_ways(
    app: Celery, renderer: Renderer
) -> None:
    call = case(TEMPLATED["arguments"])
    first, second = (renderer.render(call, utc_now()).messages for _ in range(2))
    assert renderer.made_by_celery == 1
    assert (first[0].headers, first[0].queue) == (second[0].headers, "default")
    assert [(list(said.args), said.kwargs, said.run) for said in (*first, *second)] == [
        (call.args, call.kwargs, RUN)
    ] * 2


def test_celerys_own_tasks_are_no_runs(renderer: Renderer) -> None:
    rendered = [renderer.render(call_of("celery.backend_cleanup"), utc_now()) for _ in range(2)]
    assert [len(one.commands) for one in rendered] == [1, 1]
    assert [one.messages for one in rendered] == [(), ()]


def test_nothing_is_sent_by_making_a_message(renderer: Renderer, redis: "Redis") -> None:
    renderer.render(case({}), utc_now())
    renderer.render(case({"options": {"queue": "sports"}}), utc_now())
    assert [key for key in redis.scan_iter("*") if not key.startswith("_kombu.binding")] == []


@pytest.mark.parametrize(
    "said",
    [
        {"job": "golden.strict", "args": [1, 2]},
        {"args": [object()]},
        {"options": {"serializer": "no-such"}},
        {"options": {"expires": "tomorrow"}},
    ],
    ids=["arguments that do not fit", "no JSON", "no serializer", "no moment"],
)
def test_what_celery_refuses_is_unsendable_with_the_reason(
    said: dict[str, Any], renderer: Renderer
) -> None:
    renderer.render(case({}), utc_now())
    renderer.render(call_of("golden.strict", [1]), utc_now())
    with pytest.raises(Unsendable, match=r"golden|JSON"):
        renderer.render(case(said), utc_now())
    assert renderer.render(case({}), utc_now()).commands  # the next one is not harmed


def test_a_queue_that_is_missing_where_none_is_made_is_the_entrys_fault(
    app: Celery, renderer: Renderer
) -> None:
    app.conf.task_create_missing_queues = False
    with pytest.raises(Unsendable, match="QueueNotFound"):
        renderer.render(case({"options": {"queue": "nowhere"}}), utc_now())


def test_a_binding_key_of_another_type_stops_only_whoever_needs_it(
    renderer: Renderer, redis: "Redis"
) -> None:
    redis.set("_kombu.binding.odd", "1")
    with pytest.raises(NotTaken, match="WRONGTYPE"):
        renderer.render(case({"options": {"queue": "odd"}}), utc_now())
    assert renderer.render(case({}), utc_now()).commands


def test_a_broker_that_does_not_answer_is_nobodys_fault(
    renderer: Renderer, valkey: Any, app: Celery, redis: "Redis"
) -> None:
    call = case({"options": {"queue": "sports"}})  # its bindings are asked for each time
    renderer.render(call, utc_now())
    valkey.stop()
    for _ in range(2):
        with pytest.raises((OSError, Exception)) as caught:
            renderer.render(call, utc_now())
        assert not isinstance(caught.value, Unsendable)
    valkey.start()
    assert renderer.render(call, utc_now()).commands


def test_our_own_receiver_of_sent_messages_leaves_the_templates_on(
    app: BeatdeskApp, renderer: Renderer
) -> None:
    def listen(**_: Any) -> None:
        """Listen, as another program's monitoring does."""

    run_signals = RunSignals(app)
    run_signals.connect()
    assert renderer.can_use_templates
    signals.after_task_publish.connect(listen)
    assert not renderer.can_use_templates
    signals.after_task_publish.disconnect(listen)
    run_signals.disconnect()
