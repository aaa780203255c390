"""The endpoints of the tutorial: their answers, their refusals, their limits. That jobs run is the
road's to show.
"""

from typing import Any

import pytest
from flask import Flask
from redis import Redis
from werkzeug.test import TestResponse

from scheduler.clock import utc_now
from scheduler.events.schema import RunFacts, RunQueued, decode
from scheduler.history.recording.recorder import Recorder
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.builders import a_run_history
from tests.support.valkey import ValkeyServer
from tests.support.webadmin.visitor import Visitor
from webadmin import create_app
from webadmin.limits import STARTER
from webadmin.tutorial_api import ACTOR

TOKEN = "a-token-of-the-tutorial"


@pytest.fixture
def post(visitor: Visitor) -> Any:
    """`post("/signup", {...})`: send JSON, as nobody."""

    def post(path: str, body: Any, **options: Any) -> TestResponse:
        return visitor.client.post(path, json=body, **options)

    return post


def queued(redis: Redis) -> list[RunQueued]:
    entries: Any = redis.xrange(keys.EVENTS_STREAM)
    return [event for _, fields in entries if isinstance(event := decode(fields), RunQueued)]


def test_a_task_is_started_and_can_be_asked_for(post: Any, visitor: Visitor, redis: Redis) -> None:
    answer = post("/start-task", {"duration": 3})
    assert answer.status_code == 202
    task = answer.json["task_id"]
    assert answer.json == {"task_id": task, "status": "Task started"}
    (told,) = queued(redis)
    assert (told.run, told.facts.job, told.facts.kwargs, told.facts.trigger) == (
        task,
        "demo.long_task",
        {"duration": 3},
        "api",
    )
    assert visitor.get(f"/task-status/{task}").json == {
        "task_id": task,
        "status": "PENDING",
        "result": None,
    }


def test_a_duration_that_is_not_said_is_ten_seconds(post: Any, redis: Redis) -> None:
    assert post("/start-task", {}).status_code == 202
    assert queued(redis)[0].facts.kwargs == {"duration": 10}


@pytest.mark.parametrize("duration", [-1, 61, "10", 1.5, True, None, [1], {}])
def test_a_bad_duration_is_refused_with_the_field(post: Any, redis: Redis, duration: Any) -> None:
    answer = post("/start-task", {"duration": duration})
    assert answer.status_code == 422
    assert answer.json == {
        "error": "duration is a whole number of seconds from 0 to 60",
        "field": "duration",
    }
    assert queued(redis) == []


@pytest.mark.parametrize(
    ("state", "name", "result"),
    [
        ("queued", "PENDING", None),
        ("started", "STARTED", None),
        ("succeeded", "SUCCESS", {"ok": True}),
        ("failed", "FAILURE", "ValueError: no such luck"),
    ],
)
def test_a_state_is_told_by_celerys_name(
    visitor: Visitor, services: Services, state: str, name: str, result: Any
) -> None:
    recorder = Recorder(services.events, services.engine, services.redis, 1000, "test")
    facts = RunFacts(job="demo.long_task", trigger="api", actor=ACTOR)
    services.events.append_many(
        a_run_history(
            "run-1",
            state=state,
            result={"ok": True},
            error="ValueError: no such luck",
            facts=facts,
        )
    )
    services.events.ensure_group()
    recorder.run_once(utc_now(), block_ms=100)
    assert visitor.get("/task-status/run-1").json == {
        "task_id": "run-1",
        "status": name,
        "result": result,
    }


@pytest.mark.parametrize(
    "facts",
    [
        None,
        RunFacts(job="demo.long_task", trigger="api"),
        RunFacts(job="demo.long_task", trigger="manual", actor=ACTOR),
    ],
)
def test_a_run_that_the_endpoints_have_not_started_is_not_shown(
    visitor: Visitor, services: Services, facts: RunFacts | None
) -> None:
    recorder = Recorder(services.events, services.engine, services.redis, 1000, "test")
    services.events.append_many(a_run_history("run-1", result={"salary": 1}, facts=facts))
    services.events.ensure_group()
    recorder.run_once(utc_now(), block_ms=100)
    assert services.history.run("run-1").state == "succeeded"
    assert visitor.get("/task-status/run-1").json == {
        "task_id": "run-1",
        "status": "PENDING",
        "result": None,
    }


def test_an_id_that_nobody_knows_is_pending_as_in_celery(visitor: Visitor) -> None:
    answer = visitor.get("/task-status/no-such-task")
    assert (answer.status_code, answer.json["status"]) == (200, "PENDING")


def test_a_sign_up_queues_the_welcome_mail(post: Any, redis: Redis) -> None:
    answer = post("/signup", {"email": "ada@example.org", "name": " Ada "})
    assert answer.status_code == 200
    assert answer.json == {"message": "Signup successful! Welcome email will be sent shortly."}
    (told,) = queued(redis)
    assert told.facts.job == "mail.send"
    assert told.facts.kwargs == {
        "to": ["ada@example.org"],
        "template": "welcome",
        "context": {"name": "Ada"},
    }


@pytest.mark.parametrize(
    "body", [{}, {"email": "ada@example.org"}, {"name": "Ada"}, {"email": "", "name": "Ada"}]
)
def test_a_sign_up_without_email_or_name_is_told_so(
    post: Any, redis: Redis, body: dict[str, Any]
) -> None:
    answer = post("/signup", body)
    assert (answer.status_code, answer.json) == (400, {"error": "Missing email or name"})
    assert queued(redis) == []


@pytest.mark.parametrize(
    ("email", "name", "field"),
    [
        ("ada", "Ada", "email"),
        ("ada@example.org\nBcc: eve@example.org", "Ada", "email"),
        (["ada@example.org"], "Ada", "email"),
        ("ada@example.org", "Ada\nBcc: eve@example.org", "name"),
        ("ada@example.org", "x" * 101, "name"),
        ("ada@example.org", {"first": "Ada"}, "name"),
        ("ada@example.org", "   ", "name"),
    ],
)
def test_a_sign_up_that_makes_no_mail_is_refused_with_the_field(
    post: Any, redis: Redis, email: Any, name: Any, field: str
) -> None:
    answer = post("/signup", {"email": email, "name": name})
    assert (answer.status_code, answer.json["field"]) == (422, field)
    assert queued(redis) == []


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"data": "duration=10"}, 415),
        ({"data": {"duration": "10"}}, 415),
        ({"data": "{", "content_type": "application/json"}, 400),
        ({"data": "[" * 4000, "content_type": "application/json"}, 400),
        ({"json": [1]}, 400),
        ({"json": {"duration": 1, "more": "x" * 5000}}, 413),
    ],
)
@pytest.mark.parametrize("path", ["/start-task", "/signup"])
def test_a_body_that_cannot_be_read_is_refused_in_json(
    visitor: Visitor, redis: Redis, path: str, options: Any, code: int
) -> None:
    answer = visitor.client.post(path, **options)
    assert answer.status_code == code
    assert answer.json is not None
    assert answer.json["error"]
    assert queued(redis) == []


def test_an_id_that_is_none_is_refused_in_json(visitor: Visitor) -> None:
    answer = visitor.get("/task-status/" + "x" * 300)
    assert answer.status_code == 400
    assert answer.json == {"error": "id is not an identifier."}


def test_who_calls_too_often_is_told_to_wait_in_json(post: Any) -> None:
    allowed = next(
        int(limit.split()[0]) for limit, key in STARTER["starter.signup"] if "hour" in limit
    )
    answers = [
        post("/signup", {"email": "ada@example.org", "name": "Ada"}) for _ in range(allowed + 1)
    ]
    assert [answer.status_code for answer in answers] == [200] * allowed + [429]
    assert answers[-1].headers["Retry-After"] == "60"
    assert answers[-1].json["error"]
    assert post("/signup", {"email": "grace@example.org", "name": "Grace"}).status_code == 200


def test_a_broker_that_is_away_is_said_in_json(post: Any, valkey: ValkeyServer) -> None:
    valkey.stop()
    answer = post("/start-task", {"duration": 1})
    assert (answer.status_code, answer.json) == (
        503,
        {"error": "A server does not answer; try again later."},
    )


def test_a_database_that_is_away_is_said_in_json(visitor: Visitor, services: Services) -> None:
    with services.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE runs")
    answer = visitor.get("/task-status/run-1")
    assert (answer.status_code, answer.json) == (
        503,
        {"error": "A server does not answer; try again later."},
    )


def test_production_has_the_endpoints_only_where_the_setting_says_so(services: Services) -> None:
    def paths(app: Flask) -> set[str]:
        return {
            rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("starter.")
        }

    production = services.settings.model_copy(
        update={"environment": "production", "allowed_hosts": ("localhost",)}
    )
    assert paths(create_app(production)) == set()
    opening = production.model_copy(update={"starter_endpoints": True})
    assert paths(create_app(opening)) == set()
    opened = create_app(opening.model_copy(update={"starter_token": TOKEN}))
    assert paths(opened) == {"/start-task", "/task-status/<id>", "/signup"}


@pytest.mark.parametrize(
    ("text", "code"), [(None, 401), ("", 401), (TOKEN[:-1], 401), (TOKEN, 202)]
)
def test_a_token_of_the_settings_is_asked_for(
    services: Services, redis: Redis, text: str | None, code: int
) -> None:
    app = create_app(services.settings.model_copy(update={"starter_token": TOKEN}))
    headers = {} if text is None else {"X-Starter-Token": text}
    answer = app.test_client().post("/start-task", json={"duration": 1}, headers=headers)
    assert answer.status_code == code
    assert len(queued(redis)) == (code == 202)
    if code == 401:
        assert "BEATDESK_STARTER_TOKEN" in answer.json["error"]
