"""Readers of messages of the broker, of job arguments, and of what jobs read."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from scheduler.errors import BeatdeskError
from scheduler.jobs import report_files, sql_report
from scheduler.jobs.sql import frames, placeholders
from scheduler.jobs.sweeping.keys import is_protected
from scheduler.jobs.tables import cells
from scheduler.messages import envelope, options, raw
from scheduler.queues import moving, removal
from scheduler.runs import headers, own_header
from scheduler.runs.headers import Message
from scheduler.worker import docstrings
from scheduler.worker.execution.secret_refs import Concealer, UnknownSecret, resolved
from tests.fuzz.reader import Reader, of_bytes

BODY = "W1sxXSwgeyJkYXlzIjogN30sIHt9XQ=="
HEADERS = {
    "task": "shop.report",
    "id": "0a3b",
    "timelimit": [10, None],
    "retries": 0,
    "eta": "2026-11-21T12:00:00Z",
    "tick": "2026-11-21T12:00:00Z",
    "beatdesk": {"schedule": "nightly", "revision": 3, "queued_at": "2026-11-21T12:00:00Z"},
}
MESSAGE = json.dumps(
    {
        "body": BODY,
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": HEADERS,
        "properties": {
            "body_encoding": "base64",
            "delivery_info": {"exchange": "", "routing_key": "default"},
            "delivery_tag": "t",
            "priority": 0,
        },
    }
)
LONGEST_MESSAGE = 100_000


def of_json(read: Callable[[Any], Any]) -> Callable[[str], None]:
    """Return a reader of text for a reader of JSON; a text that is not JSON is read as it is."""

    def reader(text: str) -> None:
        value: Any = text
        with suppress(ValueError, RecursionError):
            value = json.loads(text)
        read(value)

    return reader


def read_message(text: str) -> None:
    """Judge a message as it lies in a list; a sound one is looked for, and moved."""
    stored = text.encode("utf-8", "surrogatepass")
    removal.attempt_in(stored)
    moving.uid_in(stored)
    with suppress(ValueError, RecursionError):
        payload = json.loads(stored)
        if raw.fault_of(payload) is None:
            moving.renamed(stored, "other")
            moving.arguments_in(payload)


def read_headers(value: Any) -> None:
    """Judge headers, and describe the run of sound ones."""
    envelope.fault_of(value, value)
    envelope.fault_in_old_body(value)
    envelope.fault_in_body(value)
    own_header.decode(value)
    own_header.decode({"beatdesk": value})
    own_header.deliveries_of({"beatdesk": value})
    if envelope.fault_of(value, {}) is None:
        headers.is_run(value)
        headers.facts_of(Message(value, value, value, "default"), 500)


def read_options(value: Any) -> None:
    """Judge the options of an entry."""
    if isinstance(value, dict):
        options.fault_of("shop.report", value)
    options.fault_of("shop.report", {"headers": value, "eta": value, "chain": value})


MESSAGES: dict[str, Reader] = {
    "scheduler.messages.raw": Reader(read_message, (MESSAGE,), LONGEST_MESSAGE),
    "scheduler.messages.envelope": Reader(
        of_json(read_headers), (json.dumps(HEADERS), "[[1], {}, {}]"), LONGEST_MESSAGE
    ),
    "scheduler.messages.envelope type": Reader(
        envelope.fault_in_content_type, ("application/json", "application/data")
    ),
    "scheduler.messages.options": Reader(
        of_json(read_options), ('{"queue": "q", "expires": 7}',), LONGEST_MESSAGE
    ),
    "scheduler.jobs.report_files": Reader(report_files.refuse_odd, ("visits.csv",), 20_000),
    "scheduler.jobs.sql_report": Reader(sql_report.file_name, ("Visits (Ü)",), 20_000),
    "scheduler.jobs.sql.frames": Reader(
        of_bytes(frames.content_of),
        ('{"rows": [["a", {"_": "bytes", "b": "AA=="}]]}',),
        100_000,
        (ValueError,),
    ),
    "scheduler.jobs.sql.placeholders": Reader(
        lambda text: placeholders.numbered(text, {"day": 1}),
        ("SELECT a::text FROM t WHERE day = :day AND b = ':x' -- :y\n/* :z */ $q$ :w $q$",),
        100_000,
    ),
    "scheduler.jobs.sweeping.keys": Reader(
        lambda text: is_protected(text, frozenset()), ("celery-task-meta-1",), 20_000
    ),
    "scheduler.jobs.tables.cells": Reader(cells.guarded, ("=1+1", "a"), 100_000),
    "scheduler.worker.docstrings": Reader(
        docstrings.parameter_docs,
        ("A job.\n\nArgs:\n    days: how many\n\n:param a: b\n", "Parameters\n----------\na : int"),
        10_000,
        seconds=1.0,
    ),
    "scheduler.worker.execution.secret_refs": Reader(
        lambda text: resolved(text, lambda name: name, set()),
        ("secret://token", "Bearer secret://token x"),
        100_000,
        (BeatdeskError, UnknownSecret),
    ),
    "scheduler.worker.execution.secret_refs masks": Reader(
        Concealer(["s3cret", 'a"b\\c']).text, ("x s3cret y",), 100_000
    ),
}
