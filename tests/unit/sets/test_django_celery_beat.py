"""django-celery-beat's rows as schedules: every column is kept, or its task is refused."""

from datetime import timedelta

import pytest

from scheduler.rules.model.spec import CrontabWhen, IntervalWhen, OnceWhen
from scheduler.sets.django_celery_beat import read
from scheduler.sets.django_tables import PeriodicTask
from tests.support.builders import NOON

CRON = {
    "minute": "0",
    "hour": "6, 18",
    "day_of_month": "*",
    "month_of_year": "*",
    "day_of_week": "mon-fri",
}
SUNRISE = {"event": "sunrise", "latitude": 52.5, "longitude": 13.4}
HOURLY = {"every": 2, "period": "hours"}


def row(**columns):
    return {
        "name": "nightly",
        "task": "a.b",
        "args": "[]",
        "kwargs": "{}",
        "queue": None,
        "exchange": None,
        "routing_key": None,
        "headers": "{}",
        "priority": None,
        "expires": None,
        "expire_seconds": None,
        "one_off": False,
        "start_time": None,
        "enabled": True,
        "last_run_at": None,
        "total_run_count": 0,
        "description": "",
    } | columns


def taken(kind="interval", schedule=None, **columns):
    found = read([PeriodicTask(row(**columns), kind, HOURLY if schedule is None else schedule)])
    assert not found.refused, found.refused
    return found.candidates[0]


def refusal(kind="interval", schedule=None, **columns):
    found = read([PeriodicTask(row(**columns), kind, HOURLY if schedule is None else schedule)])
    assert not found.candidates
    return found.refused[0].reason


def test_a_crontab_is_read_in_its_zone_and_both_day_fields_must_match():
    when = taken("crontab", CRON | {"timezone": "Europe/Berlin"}).spec.when
    assert when == CrontabWhen(crontab="0 6,18 * * mon-fri", timezone="Europe/Berlin")
    assert taken("crontab", CRON).spec.when.timezone == "UTC"


@pytest.mark.parametrize(
    ("every", "period", "seconds"),
    [
        (1, "days", 86400),
        (2, "hours", 7200),
        (3, "minutes", 180),
        (4, "seconds", 4),
        (2_000_000, "microseconds", 2),
    ],
)
def test_an_interval_is_counted_from_its_last_run(every, period, seconds):
    candidate = taken(schedule={"every": every, "period": period}, last_run_at=NOON)
    assert candidate.spec.when == IntervalWhen(every=seconds, anchor=NOON)
    assert candidate.anchor_moves


def test_a_clocked_task_runs_once():
    candidate = taken("clocked", {"clocked_time": NOON}, one_off=True)
    assert candidate.spec.when == OnceWhen(at=NOON)
    assert candidate.spec.window.max_runs is None


def test_every_column_finds_its_place():
    spec = taken(
        args='[1, "a"]',
        kwargs='{"days": 1}',
        queue="slow",
        priority=3,
        expires=NOON,
        expire_seconds=60,
        start_time=NOON - timedelta(days=1),
        one_off=True,
        enabled=False,
        description="what it is for",
    ).spec
    assert (spec.job, spec.args, spec.kwargs, spec.queue, spec.priority) == (
        "a.b",
        [1, "a"],
        {"days": 1},
        "slow",
        3,
    )
    assert (spec.window.starts_at, spec.window.ends_at, spec.window.max_runs) == (
        NOON - timedelta(days=1),
        NOON,
        1,
    )
    assert (spec.policies.starting_deadline, spec.enabled, spec.description) == (
        60,
        False,
        "what it is for",
    )


def test_a_task_that_was_to_run_once_and_has_run_is_taken_switched_off():
    candidate = taken(one_off=True, total_run_count=1)
    assert candidate.spec.enabled is False
    assert "has run" in candidate.notes[0]


def test_names_and_texts_that_do_not_fit_are_changed_and_said():
    candidate = taken(name="my task: daily", description="x" * 2000)
    assert candidate.spec.name == "my-task-daily"
    assert (candidate.spec.description, candidate.spec.notes) == ("", "x" * 2000)
    assert [note.split(",")[0] for note in candidate.notes] == [
        "called 'my-task-daily'",
        "its description is longer than a line",
    ]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"kind": "solar", "schedule": SUNRISE}, "it is solar (sunrise at 52.5, 13.4)"),
        ({"schedule": {"every": 1, "period": "weeks"}}, "'weeks'"),
        ({"routing_key": "a.b"}, "routing_key 'a.b'"),
        ({"exchange": "x"}, "exchange 'x'"),
        ({"headers": '{"a": 1}'}, "headers"),
        ({"args": "{}"}, "its args are a dict, not a list"),
        ({"kwargs": "{'a': 1}"}, "its kwargs are not JSON"),
        ({"priority": 12}, "priority"),
    ],
)
def test_what_a_schedule_cannot_say_is_refused_with_the_reason(columns, said):
    assert said in refusal(**columns)


def test_a_task_that_points_to_nothing_is_refused():
    found = read([PeriodicTask(row(), None, None), PeriodicTask(row(name="b"), "crontab", None)])
    assert [aside.reason for aside in found.refused] == [
        "it has no schedule",
        "its crontab row is gone",
    ]
