"""A real worker runs every kind of message that is made here, with the arguments that were
given.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from redis import Redis

from scheduler.celery_app.app import create_app
from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.clock import utc_now
from scheduler.publishing.calls import Call
from scheduler.publishing.kombu_commands import Renderer
from scheduler.settings.schema import Settings
from tests.support.beat.golden import BY_CELERY, TEMPLATED, call_of
from tests.support.golden_jobs import JOB, QUEUES, set_up
from tests.support.processes import start_worker
from tests.support.runs.stream import Stream, stream  # noqa: F401 - the same stream
from tests.support.waiting import PATIENCE, wait_for

READ = [*(queue.name for queue in QUEUES), "default", "letters", "all-of-them", "many", "heavy"]
SOONER: dict[str, dict[str, Any]] = {
    "a countdown": {"options": {"countdown": 0.5, "expires": 120.0}},
    "a moment to start": {"options": {"eta": utc_now() + timedelta(seconds=1)}},
}
"""The same, for who does not want to wait for an hour."""

TO_NOBODY = "a broadcast, which stock puts where nobody listens"
ENDS = {"an expiry that is over": "run.expired", "another serializer": "run.failed"}
"""What ends otherwise: too late, and in a language that our workers do not accept."""

OPTIONS: dict[str, dict[str, Any]] = {
    "usual": {},
    "a prefix of all keys": {"global_keyprefix": "ours:"},
    "other steps of priorities": {"priority_steps": [0, 2, 4], "sep": ":"},
    "another prefix of broadcasts, without patterns": {
        "fanout_prefix": "/elsewhere.",
        "fanout_patterns": False,
    },
    "no prefix of broadcasts": {"fanout_prefix": False, "fanout_patterns": False},
    "queues in turn": {"queue_order_strategy": "round_robin"},
    "queues by name": {"queue_order_strategy": "sorted"},
}


def calls() -> dict[str, Call]:
    """A call for each row of the tables, each a run of its own."""
    made = {}
    for name, row in reversed(
        {**TEMPLATED, **BY_CELERY, **SOONER}.items()
    ):  # a topic is known by its queues, as in stock
        call = call_of(row.get("job", JOB), row.get("args"), row.get("kwargs"), row.get("options"))
        run = str(uuid4())
        made[name] = replace(call, run=run, options={**call.options, "task_id": run})
    return made


@pytest.fixture(params=OPTIONS.values(), ids=OPTIONS)
def app(
    request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[BeatdeskApp]:
    """Who sends; the worker gets the same options of the transport by its environment."""
    monkeypatch.setenv("GOLDEN_TRANSPORT", json.dumps(request.param))
    app = create_app(settings)
    set_up(app)
    app.conf.broker_transport_options = {**app.conf.broker_transport_options, **request.param}
    yield app
    app.close()


def test_a_worker_runs_every_kind_of_message(
    settings: Settings,
    app: BeatdeskApp,
    redis: Redis,
    stream: Stream,  # noqa: F811
) -> None:
    start_worker(settings, app="tests.support.golden_worker", queues=",".join(READ), concurrency=2)
    # It says that it is ready before it listens to the broadcasts of tasks, of control, and of
    # other workers.
    wait_for(
        lambda: len(redis.client_list(_type="pubsub")) >= 3, 20, "the worker listens to broadcasts"
    )
    renderer, sent = Renderer(app, PATIENCE), calls()
    for name, call in sent.items():
        for command in renderer.render(call, utc_now()).commands:
            redis.execute_command(*command)
        if name == "nothing special":  # the same once more, which is made from a template
            again = sent["nothing special"] = replace(
                call, run="again", options={**call.options, "task_id": "again"}
            )
            for command in renderer.render(again, utc_now()).commands:
                redis.execute_command(*command)
    renderer.reset()
    for name, call in sent.items():
        if name == TO_NOBODY:
            continue
        end = stream.end(call.run, 40)
        assert end.kind == ENDS.get(name, "run.succeeded"), name
        if end.kind == "run.succeeded":
            assert end.result == [call.args, call.kwargs], name
    assert stream.kinds(sent[TO_NOBODY].run) == []
