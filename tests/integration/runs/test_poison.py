"""Poison on the broker: a worker refuses each message with which it cannot begin, and goes on."""

import base64
import json
import zlib
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any
from uuid import uuid4

import pytest
from kombu import Producer
from redis import Redis

from scheduler.celery_app.app import create_app
from scheduler.clock import utc_now
from scheduler.errors import Refused
from scheduler.events.dead_letters import DeadLetters
from scheduler.rules.model.edit import Edit
from scheduler.settings.schema import Settings
from scheduler.storage import keys
from tests.support.hostile import KINDS, with_value
from tests.support.processes import Process, start_worker
from tests.support.rabbitmq import RabbitServer
from tests.support.runs.house import sender
from tests.support.runs.stream import Stream
from tests.support.waiting import wait_for

HEADERS = (
    *("lang", "task", "id", "root_id", "parent_id", "group", "group_index", "meth", "shadow"),
    *("eta", "expires", "retries", "timelimit", "argsrepr", "kwargsrepr", "origin", "beatdesk"),
    *("ignore_result", "replaced_task_nesting", "stamped_headers", "stamps", "compression", "tick"),
)
PROPERTIES = (
    *("correlation_id", "reply_to", "delivery_mode", "delivery_info", "priority"),
    *("body_encoding", "delivery_tag"),
)
PARTS = ("body", "headers", "properties", "content-type", "content-encoding")
JOB = "tests.add"


def message(body: Any = None, **parts: Any) -> dict[str, Any]:
    """A message as kombu writes one, for the job that adds two numbers."""
    run = str(uuid4())
    text = json.dumps([[1, 2], {}, {}] if body is None else body).encode()
    return {
        "body": base64.b64encode(text).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "py", "task": JOB, "id": run, "root_id": run, "retries": 0},
        "properties": {
            "correlation_id": run,
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": "default"},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": run,
        },
    } | parts


def packed(data: bytes, **headers: Any) -> str:
    """A message with a body of these bytes."""
    whole = message()
    whole["headers"] |= headers
    return json.dumps(whole | {"body": base64.b64encode(data).decode()})


def texts() -> Iterator[str]:
    """Texts for a queue: each part with each kind of JSON, and bodies of every kind."""
    for text in KINDS.values():
        yield text
        for part in PARTS:
            yield with_value(json.dumps(message(**{part: "@"})), text)
        for header in HEADERS:
            whole = message()
            whole["headers"][header] = "@"
            yield with_value(json.dumps(whole), text)
        for name in PROPERTIES:
            whole = message()
            whole["properties"][name] = "@"
            yield with_value(json.dumps(whole), text)
        for place in range(3):
            parts: list[Any] = [[1, 2], {}, {}]
            parts[place] = "@"
            yield packed(with_value(json.dumps(parts), text).encode("utf-8", "surrogatepass"))
        for callback in ("callbacks", "errbacks", "chain", "chord"):
            embed = json.dumps([[1, 2], {}, {callback: "@"}])
            yield packed(with_value(embed, text).encode("utf-8", "surrogatepass"))
    yield from ("", "plain text", "{", "\x00")
    yield packed(b"\x80not json")
    yield packed(b"[[1, 2], {}, {}]", compression="no-such")
    yield packed(zlib.compress(b"[" + b" " * 80_000_000 + b"]"), compression="gzip")
    yield json.dumps(message(**{"content-type": "application/x-python-serialize"}))
    old = {"task": JOB, "id": str(uuid4()), "args": [1, 2], "kwargs": {}}
    for part, kind in ((part, kind) for part in (*old, "timelimit", "eta") for kind in KINDS):
        body = with_value(json.dumps(old | {part: "@"}), KINDS[kind])
        encoded = base64.b64encode(body.encode()).decode()
        yield json.dumps(message(headers={}) | {"body": encoded})


def test_after_each_poison_the_next_good_message_runs(
    redis: Redis, worker: Process, send: Callable[..., str], stream: Stream
) -> None:
    for text in texts():
        redis.lpush("default", text.encode("utf-8", "surrogatepass"))
    good = send(JOB, 20, 22, queue="default")
    assert stream.end(good, timeout=60).kind == "run.succeeded"
    assert worker.popen.poll() is None
    assert redis.xlen(keys.DEAD_LETTERS_STREAM) > 0


def test_a_run_with_which_no_worker_can_begin_fails_with_the_reason(
    redis: Redis, worker: Process, stream: Stream
) -> None:
    poison = message()
    poison["headers"]["timelimit"] = ["a", None]
    redis.lpush("default", json.dumps(poison))
    end = stream.end(poison["headers"]["id"])
    assert end.kind == "run.failed"
    assert "headers.timelimit is ['a', None], not a list of two limits" in end.error
    wait_for(lambda: not redis.exists("unacked"), what="it is acknowledged")


def test_a_body_in_a_codec_of_python_is_not_decoded(
    redis: Redis, worker: Process, stream: Stream
) -> None:
    """A codec such as zlib makes gigabytes of a megabyte, and punycode takes hours of CPU."""
    body = base64.b64encode(zlib.compress(b" " * 1000)).decode()
    kinds = {"content-type": "application/data", "content-encoding": "zlib"}
    poison = message() | kinds | {"body": body}
    redis.lpush("default", json.dumps(poison))
    end = stream.end(poison["headers"]["id"])
    assert "the content type is 'application/data', in which no job is called" in end.error


def test_a_text_in_a_queue_becomes_a_dead_letter_that_can_only_be_dropped(
    redis: Redis, worker: Process
) -> None:
    redis.lpush("default", "plain text")
    letters = DeadLetters(redis)
    wait_for(letters.count, what="the text is kept")
    letter = letters.get(letters.newest() or "")
    assert letter.raw == {"message": b"plain text", "queue": b"default"}
    assert "the text in the queue is no message" in letter.error
    edit = Edit(actor="ada", now=utc_now())
    with pytest.raises(Refused, match="drop it"):
        letters.retry([letter.id], edit)
    assert letters.retry_all(letter.id, edit) == 0
    assert letters.drop([letter.id], edit).done == [letter.id]


def test_a_thread_goes_on_after_poison_as_well(
    redis: Redis, job_settings: Settings, send: Callable[..., str], stream: Stream
) -> None:
    worker = start_worker(job_settings, options=["--pool", "threads"])
    for limits in (["a", None], [None, "x"], [1e400, 1], {}, "x", [1]):
        poison = message()
        poison["headers"]["timelimit"] = limits
        redis.lpush("default", json.dumps(poison))
    redis.lpush("default", "null")
    assert stream.end(send(JOB, 20, 22, queue="default")).kind == "run.succeeded"
    assert worker.popen.poll() is None


def test_a_worker_of_rabbitmq_goes_on_after_poison_as_well(
    rabbit: RabbitServer, redis: Redis, job_settings: Settings, stream: Stream
) -> None:
    settings = job_settings.model_copy(update={"broker_url": rabbit.url})
    worker = start_worker(settings)
    app = create_app(settings)
    hostile: tuple[Any, ...] = (True, -1, "x", [], ["a", None], {"a": {"b": [1]}}, 0.5)
    with app.connection_for_write() as connection, connection.channel() as channel:
        producer = Producer(channel, routing_key="default", serializer="json")
        sound = {"lang": "py", "task": JOB, "id": str(uuid4())}
        for header, value in product(HEADERS, hostile):
            producer.publish([[1, 2], {}, {}], headers={**sound, "id": str(uuid4()), header: value})
        for body in (None, "text", [], [[], {}], {"task": ["a"], "id": 5}):
            producer.publish(body)
            producer.publish(body, headers=sound)
        producer.publish(b"\x80", content_type="no/such", content_encoding="no-such")
    good = sender(app)(JOB, 20, 22, queue="default")
    assert stream.end(good, timeout=60).kind == "run.succeeded"
    assert worker.popen.poll() is None
    assert redis.xlen(keys.DEAD_LETTERS_STREAM) > 0
    app.close()
