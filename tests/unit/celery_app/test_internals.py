"""Celery and kombu still have what `celery_app.internals` reads of them."""

import importlib
import inspect
from importlib.metadata import version
from types import SimpleNamespace

import pytest
from celery import Celery
from celery.worker.request import Request
from kombu import Connection

from scheduler.celery_app import internals


@pytest.fixture
def app():
    made = Celery("test", set_as_current=True, broker="memory://")
    yield made
    made.close()


def test_the_versions_are_those_that_were_read():
    assert {name: version(name) for name in internals.READ_IN} == internals.READ_IN


@pytest.mark.parametrize(
    ("place", "method", "parameters"),
    [
        (place, method, parameters)
        for place, methods in internals.OVERRIDDEN.items()
        for method, parameters in methods.items()
    ],
)
def test_a_method_that_is_overridden_is_still_called_so(place, method, parameters):
    module, _, name = place.partition(":")
    original = inspect.signature(getattr(getattr(importlib.import_module(module), name), method))
    assert tuple(original.parameters) == ("self", *parameters)


@pytest.mark.parametrize(
    ("place", "name"),
    [(place, name) for place, names in internals.READ_BY_TRANSPORT.items() for name in names],
)
def test_a_name_that_the_claiming_transport_uses_is_there(place, name):
    module, _, owner = place.partition(":")
    assert hasattr(getattr(importlib.import_module(module), owner), name)


def test_celery_has_its_handlers_of_signals():
    program = importlib.import_module("celery.apps.worker")
    for name in ("during_soft_shutdown", "install_worker_term_hard_handler", "on_cold_shutdown"):
        assert callable(vars(program)[name])


def test_a_redis_channel_has_its_unacknowledged_messages_in_a_sorted_set():
    from kombu.transport.redis import Channel

    channel = object.__new__(Channel)
    channel.closed = False
    channel._qos = Channel.QoS(channel)
    channel._qos._on_collect.cancel()  # or kombu gives the message back at the end of the process
    channel._qos._delivered["tag"] = object()
    consumer = SimpleNamespace(task_consumer=SimpleNamespace(channel=channel))
    unacked = internals.unacked_messages(consumer)
    assert (unacked.index_key, unacked.tags) == ("unacked_index", ["tag"])
    channel.closed = True
    assert internals.unacked_messages(consumer) is None


def test_a_redis_broker_has_a_list_for_each_priority_of_a_queue_and_a_hash_of_taken_messages():
    from kombu.transport.redis import Channel

    layout = internals.redis_layout()
    lists = [internals.redis_list("q", priority) for priority in range(10)]
    assert sorted(set(lists)) == sorted(
        f"q{layout.separator}{step}" if step else "q" for step in layout.priorities
    )
    assert (Channel.unacked_key, Channel.unacked_index_key) == layout[2:]


def test_a_started_worker_calls_the_function_that_was_put_in_place(app):
    @app.task(name="doubled", autoretry_for=(OSError,), retry_backoff=True)
    def doubled(number):
        return 2 * number

    app.finalize()
    assert internals.declared_run(doubled)(4) == 8
    assert internals.declared_run(doubled) is not doubled.run
    assert app.tasks["doubled"].__trace__ is None
    from celery.app.trace import build_tracer

    doubled.__trace__ = build_tracer("doubled", doubled, app.loader, None, app=app)
    internals.replace_run(app, doubled, lambda number: -number, None)
    result, *_ = doubled.__trace__("id", (4,), {}, {"is_eager": True})
    assert result == -4


def test_a_task_tells_its_options(app):
    @app.task(name="with_options", serializer="json")
    def with_options():
        pass

    app.finalize()
    assert internals.is_declared(with_options, "serializer")
    assert not internals.is_declared(with_options, "max_retries")
    assert internals.execution_options(with_options)["serializer"] == "json"
    assert internals.current_app() is app


def test_an_app_is_the_current_one_for_a_while(app):
    other = Celery("other", set_as_current=False, broker="memory://")
    with internals.as_current_app(other):
        assert internals.current_app() is other
    assert internals.current_app() is app
    other.close()


def test_a_process_that_no_signal_ends_is_not_ending():
    assert not internals.is_process_ending()


def test_a_running_task_has_an_app(app):
    from celery.app.trace import build_tracer

    apps = []

    @app.task(name="which_app")
    def which_app():
        apps.append(internals.app_of_running_task())

    app.finalize()
    build_tracer("which_app", which_app, app.loader, None, app=app)("id", (), {}, {})
    assert apps == [app]
    assert internals.app_of_running_task() is None


def test_a_request_has_a_context_and_marks_of_its_end(app):
    @app.task(name="plain")
    def plain():
        pass

    app.finalize()
    message = SimpleNamespace(
        headers={"id": "one", "task": "plain"},
        body=([], {}, {}),
        content_type="application/json",
        content_encoding="utf-8",
        delivery_info={},
        properties={},
    )
    request = Request(message, app=app, decoded=True, task=plain)
    assert internals.request_context(request).id == "one"
    assert not internals.was_stopped(request)
    assert not internals.is_with_pool(request)
    info = internals.worker_lost_info(request, SystemExit(3))
    assert type(info.exception.exc).__name__ == "WorkerLostError"
    request._already_revoked = True
    assert internals.was_stopped(request)


def test_a_cached_result_is_forgotten(app):
    app.backend._cache["one"] = {}
    internals.forget_cached_result(app.backend, "one")
    internals.forget_cached_result(app.backend, "two")
    assert "one" not in app.backend._cache


def test_a_channel_is_made_on_the_open_connection():
    with Connection("memory://") as connection:
        channel = internals.create_channel(connection)
        internals.bound_sockets(connection, 1.0)
        assert channel in connection.transport.channels
        channel.close()
