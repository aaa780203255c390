"""The published JSON has the interface's keys, whatever is shown: a schedule, a broken entry, a
fresh run.
"""

from datetime import UTC, datetime

from scheduler.interface.published import (
    queued_run,
    rfc3339,
    run_json,
    schedule_json,
    unreadable_json,
)
from tests.support.builders import a_schedule, every
from tests.support.interface import POLICY_KEYS, RUN_KEYS, SCHEDULE_KEYS

TICK = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)


def test_a_schedule_has_every_key_of_the_interface():
    last = {"id": "run-1", "state": "succeeded"}
    body = schedule_json(a_schedule(when=every(300, TICK)), next_tick=TICK, last_run=last)
    assert set(body) == SCHEDULE_KEYS
    assert set(body["policies"]) == POLICY_KEYS
    assert set(body["window"]) == {"starts_at", "ends_at", "max_runs", "calendar"}
    assert body["next"] == "2026-11-23T05:00:00Z"
    assert body["when"] == {"kind": "interval", "every": 300, "anchor": "2026-11-23T05:00:00Z"}
    assert body["last_run"] == last


def test_an_unreadable_entry_has_the_same_keys_and_says_what_is_wrong():
    body = unreadable_json("broken", "minute 61 is not one")
    assert set(body) == SCHEDULE_KEYS
    assert {key: value for key, value in body.items() if value is not None} == {
        "name": "broken",
        "problem": "minute 61 is not one",
    }


def test_a_run_that_was_only_queued_has_every_key_of_a_run():
    run = queued_run(
        "run-1", a_schedule(), actor="cli:ada", args=[], kwargs={"days": 1}, queued_at=TICK
    )
    body = run_json(run)
    assert set(body) == RUN_KEYS
    assert body["state"] == "queued"
    assert body["actor"] == "cli:ada"
    assert body["queued_at"] == "2026-11-23T05:00:00Z"


def test_times_are_in_utc_with_z():
    assert rfc3339(datetime.fromisoformat("2026-11-23T06:00:00+01:00")) == "2026-11-23T05:00:00Z"
    assert rfc3339(None) is None
