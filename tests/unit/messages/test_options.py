"""Options of an entry: refused with the name, the value and the remedy where no worker takes them."""

from typing import Any

import pytest

from scheduler.messages import options

SOUND = {
    "queue": "default",
    "priority": 3,
    "expires": 60.5,
    "eta": "2026-01-31T06:00:00Z",
    "time_limit": 30,
    "soft_time_limit": 20,
    "headers": {"own": ["x"], "timelimit": [30, None]},
    "link": [{"task": "app.next", "args": []}],
    "retry": True,
    "ignore_result": None,
    "own_property": {"any": 1},
}


def test_sound_options_and_unknown_ones_are_taken() -> None:
    assert options.fault_of("app.task", SOUND) is None


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("headers", "x", "options.headers is 'x', not an object"),
        ("soft_time_limit", "x", "options.soft_time_limit is 'x', not a number of seconds from 0"),
        ("time_limit", float("inf"), "options.time_limit is inf, not a number of seconds from 0"),
        ("time_limit", float("nan"), "options.time_limit is nan, not a number of seconds from 0"),
        ("retries", -1, "options.retries is -1, not a whole number from 0"),
        ("priority", "3", "options.priority is '3', not a whole number"),
        ("queue", ["a"], "options.queue is ['a'], not a text"),
        ("link", {"no": "task"}, "options.link is {'no': 'task'}, not a signature"),
        ("eta", "soon", "options.eta is 'soon', not a moment"),
        ("countdown", 9**400, "options.countdown is a number of more than 18 digits, not a number"),
        ("args", [], "options.args is not an option of an entry"),
        ("producer", None, "options.producer is not an option of an entry"),
        (
            "headers",
            {"timelimit": ["a", None]},
            "options.headers.timelimit is ['a', None], not a list of two limits in seconds",
        ),
        ("headers", {"task": ["a"]}, "options.headers.task is ['a'], not a text"),
    ],
)
def test_an_option_that_no_worker_takes_is_refused(name: str, value: Any, reason: str) -> None:
    fault = options.fault_of("app.task", SOUND | {name: value})
    assert fault is not None
    assert fault.startswith(reason)
    assert "change it where the entry is written" in fault


@pytest.mark.parametrize("job", ["y" * 20_000, "\ud800"])
def test_a_name_of_a_job_that_no_message_carries_is_refused(job: str) -> None:
    fault = str(options.fault_of(job, {}))
    assert fault.startswith("task is ")
    assert "change it where the entry is written" in fault
