"""Whose attention is needed."""

from datetime import UTC, datetime, timedelta

from scheduler.history.queries.views import RunView
from webadmin.overview import needs

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def a_run(
    name: str,
    minutes_ago: float,
    state: str = "failed",
    schedule: str | None = "nightly",
    ticks: int = 1,
) -> RunView:
    known = dict.fromkeys(
        ("revision", "trigger", "actor", "reason", "tick", "queued_at", "received_at", "worker")
    )
    at = NOON - timedelta(minutes=minutes_ago)
    return RunView(
        **known,
        id=name,
        schedule=schedule,
        schedule_uid=schedule and f"uid-{schedule}",
        job="mail.digest",
        state=state,
        started_at=at,
        finished_at=at,
        lateness=None,
        duration=1,
        queue=None,
        ticks=ticks,
    )


def test_failures_of_one_schedule_are_one_line_that_leads_to_the_newest() -> None:
    (need,) = needs([a_run("new", 5), a_run("old", 90)], {}, NOON)
    assert (need.title, need.words, need.newest.id, need.recovered) == (
        "nightly",
        "2 times",
        "new",
        False,
    )


def test_what_succeeded_since_comes_last_and_says_so() -> None:
    runs = [a_run("a", 5), a_run("b", 60, schedule="hourly")]
    last = {
        "uid-nightly": [a_run("ok", 1, "succeeded")],
        "uid-hourly": [a_run("ok", 90, "succeeded", "hourly")],
    }
    found = needs(runs, last, NOON)
    assert [(need.title, need.words) for need in found] == [
        ("hourly", "Once"),
        ("nightly", "Once, succeeded since"),
    ]


def test_what_is_older_than_a_day_needs_nobody() -> None:
    assert needs([a_run("old", 24 * 60 + 1)], {}, NOON) == []


def test_runs_without_a_schedule_are_told_apart_by_their_job() -> None:
    (need,) = needs([a_run("x", 1, schedule=None)], {}, NOON)
    assert (need.title, need.schedule) == ("mail.digest", None)


def test_missed_ticks_count_as_many_as_they_are() -> None:
    (need,) = needs([a_run("m", 1, "missed", ticks=40)], {}, NOON)
    assert need.words == "40 times"


def test_no_more_is_shown_than_fits() -> None:
    assert (
        len(needs([a_run(str(n), n, schedule=f"s{n}") for n in range(30)], {}, NOON, most=8)) == 8
    )
