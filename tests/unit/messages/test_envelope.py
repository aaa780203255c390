"""A received message is judged before Celery sees it: each part by its kind, with the reason."""

from typing import Any

import pytest

from scheduler.messages import envelope

HEADERS = {
    "lang": "py",
    "task": "app.task",
    "id": "r",
    "root_id": "r",
    "parent_id": None,
    "group": None,
    "retries": 0,
    "timelimit": [None, 30],
    "eta": "2026-01-31T06:00:00+00:00",
    "expires": None,
    "argsrepr": "(1,)",
    "own": ["any", {"value": 1}],
}
PROPERTIES = {
    "correlation_id": "r",
    "priority": 9,
    "delivery_mode": 2,
    "delivery_info": {"exchange": "", "routing_key": "default"},
    "body_encoding": "base64",
    "expiration": "60000",
}
EMBED = {"callbacks": None, "errbacks": [{"task": "app.failed"}], "chain": [], "chord": None}


def test_a_message_as_celery_writes_one_is_sound() -> None:
    assert envelope.fault_of(HEADERS, PROPERTIES) is None
    assert envelope.fault_in_body([[1], {"a": 2}, EMBED]) is None
    assert envelope.fault_in_old_body({"task": "app.task", "id": "r", "args": [1]}) is None
    assert envelope.fault_in_content_type("application/json") is None


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("task", ["a"], "task is ['a'], not a name"),
        ("task", "", "task is '', not a name"),
        ("id", None, "id is None, not a name"),
        ("id", "\ud800", "id is '\\ud800', not a name"),
        ("root_id", 5, "headers.root_id is 5, not a text of at most 4096 characters"),
        ("eta", 5, "headers.eta is 5, not a moment such as 2026-01-31T06:00:00Z"),
        ("expires", "9999-12-31T23:59:59Z", "headers.expires is '9999-12-31T23:59:59Z', not a m"),
        ("retries", True, "headers.retries is True, not a whole number from 0"),
        ("retries", 2**31, "headers.retries is 2147483648, not a whole number from 0"),
        ("timelimit", [1], "headers.timelimit is [1], not a list of two limits in seconds"),
        ("timelimit", [-1, None], "headers.timelimit is [-1, None], not a list of two limits"),
        ("timelimit", "30", "headers.timelimit is '30', not a list of two limits in seconds"),
        ("group_index", -1, "headers.group_index is -1, not a whole number from 0"),
        ("ignore_result", 2, "headers.ignore_result is 2, not true or false"),
        ("stamped_headers", "a", "headers.stamped_headers is 'a', not a list of texts"),
        ("stamps", [], "headers.stamps is [], not an object"),
        ("argsrepr", 5, "headers.argsrepr is 5, not a text"),
        ("compression", ["a"], "headers.compression is ['a'], not a text"),
    ],
)
def test_a_header_of_another_kind_is_a_fault(name: str, value: Any, reason: str) -> None:
    assert str(envelope.fault_of(HEADERS | {name: value}, PROPERTIES)).startswith(reason)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("priority", 256, "priority is 256, not a whole number from -255 to 255"),
        ("priority", float("inf"), "priority is inf, not a whole number"),
        ("delivery_mode", 3, "delivery_mode is 3, not 1, 2, 'transient' or 'persistent'"),
        ("delivery_info", [], "delivery_info is [], not an object"),
        ("body_encoding", "hex", "body_encoding is 'hex', not 'base64'"),
        ("reply_to", 5, "reply_to is 5, not a text"),
    ],
)
def test_a_property_of_another_kind_is_a_fault(name: str, value: Any, reason: str) -> None:
    assert str(envelope.fault_of(HEADERS, PROPERTIES | {name: value})).startswith(reason)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("text", "the body is 'text', not a list of arguments, keywords and callbacks"),
        ([[], {}], "the body is [[], {}], not a list of arguments"),
        ([{}, {}, {}], "body.args is {}, not a list"),
        ([[], [], {}], "body.kwargs is [], not an object"),
        ([[], {}, []], "body.embed is [], not an object"),
        ([[], {}, {"chain": ["app.task"]}], "body.chain is ['app.task'], not a signature"),
        ([[], {}, {"chord": {"task": 5}}], "body.chord is {'task': 5}, not a signature"),
    ],
)
def test_a_body_that_is_no_call_is_a_fault(body: Any, reason: str) -> None:
    assert str(envelope.fault_in_body(body)).startswith(reason)


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ({"task": 5}, "body.task is 5, not a name"),
        ({"timelimit": 5}, "body.timelimit is 5, not a list of two limits"),
        ({"args": {}}, "body.args is {}, not a list"),
        ({"kwargs": []}, "body.kwargs is [], not an object"),
        ({"callbacks": [5]}, "body.callbacks is [5], not a signature"),
    ],
)
def test_a_body_of_the_old_protocol_is_judged_with_its_headers(part: Any, reason: str) -> None:
    fault = envelope.fault_in_old_body({"task": "app.task", "id": "r"} | part)
    assert str(fault).startswith(reason)


def test_headers_and_properties_that_are_no_objects_are_faults() -> None:
    assert envelope.fault_of([], PROPERTIES) == "headers is [], not an object"
    assert envelope.fault_of(HEADERS, None) == "properties is None, not an object"
    assert envelope.fault_in_headers(5) == "headers is 5, not an object"
    assert envelope.fault_in_old_body(5) == "the body is 5, not a call of a job"


@pytest.mark.parametrize("content_type", [None, "", "application/data", "application/text"])
def test_a_body_that_any_codec_may_decode_is_a_fault(content_type: Any) -> None:
    assert "in which no job is called" in str(envelope.fault_in_content_type(content_type))
