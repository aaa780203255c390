"""`schedules backfill`: runs for ticks of the past, counted first, each once."""

import getpass
from itertools import pairwise

import pytest

from scheduler.redbeat.codec import Meta, encode_meta
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.model.identity import run_id
from scheduler.storage import keys
from tests.support.builders import at
from tests.support.schedules.contents import messages, score

DAY = ("--from", "2026-01-05T00:00:00Z", "--to", "2026-01-06T00:00:00Z")


@pytest.fixture
def hourly(beatdesk):
    """The commands, with a schedule that is due every hour."""
    beatdesk.done("schedules", "add", "n", "demo.plain", "--cron", "0 * * * *")
    return beatdesk


def started(hourly):
    """What lies in the queues, and what waits for its turn."""
    waiting = hourly.services.waiting.of(hourly.services.schedules.get("n").uid)
    return messages(hourly.services.redis), waiting


def test_the_count_is_said_first_and_a_dry_run_starts_nothing(hourly):
    before = hourly.written()
    body = hourly.json("schedules", "backfill", "n", *DAY, "--dry-run")
    assert (body["count"], len(body["ticks"]), body["runs"]) == (24, 24, [])
    assert (body["ticks"][0], body["ticks"][-1]) == ("2026-01-05T00:00:00Z", "2026-01-05T23:00:00Z")
    assert hourly.done("schedules", "backfill", "n", *DAY, "--dry-run").startswith(
        "24 runs of n would start\n"
    )
    assert "needs a yes" in hourly.refused("schedules", "backfill", "n", *DAY)
    assert hourly.written() == before
    assert started(hourly) == ([], [])


def test_each_tick_gets_its_own_run_and_the_next_tick_does_not_move(hourly, record):
    before = score(hourly.services.redis, "n")
    body = hourly.json("schedules", "backfill", "n", *DAY, "--yes", "--overlap", "allow")
    uid = hourly.json("schedules", "show", "n")["uid"]
    assert body["runs"][:2] == [
        run_id(uid, at("2026-01-05T00:00Z")),
        run_id(uid, at("2026-01-05T01:00Z")),
    ]
    sent = messages(hourly.services.redis)
    assert [message["headers"]["id"] for message in sent] == body["runs"]
    assert sent[0]["headers"]["tick"] == "2026-01-05T00:00:00Z"
    assert score(hourly.services.redis, "n") == before
    record()
    run = hourly.json("runs", "show", body["runs"][1])
    assert (run["trigger"], run["tick"], run["actor"], run["schedule"]) == (
        "backfill",
        "2026-01-05T01:00:00Z",
        f"cli:{getpass.getuser()}",
        "n",
    )


def test_a_tick_that_has_a_run_gets_no_second_one(hourly, record):
    one = (
        "--from",
        "2026-01-05T00:00:00Z",
        "--to",
        "2026-01-05T02:00:00Z",
        "--yes",
        "--overlap",
        "allow",
    )
    first = hourly.json("schedules", "backfill", "n", *one)
    assert (len(first["runs"]), first["known"]) == (2, 0)
    for heard_of in (lambda: None, record):
        heard_of()
        again = hourly.json("schedules", "backfill", "n", *one)
        assert (again["runs"], again["known"]) == ([], 2)
    assert "2 ticks have a run already" in hourly.done("schedules", "backfill", "n", *one)
    assert len(messages(hourly.services.redis)) == 2


def test_without_a_word_the_ticks_wait_for_their_turn(hourly):
    said = hourly.done("schedules", "backfill", "n", *DAY, "--yes")
    assert said.startswith("24 runs of n wait for their turn; see")
    uid = hourly.json("schedules", "show", "n")["uid"]
    waiting, who = hourly.services.waiting.of(uid), f"cli:{getpass.getuser()}"
    assert (len(waiting), waiting[0]) == (24, WaitingTick(at("2026-01-05T00:00Z"), "backfill", who))
    assert messages(hourly.services.redis) == []
    hourly.done("schedules", "disable", "n")
    assert "switch it on" in hourly.refused("schedules", "backfill", "n", *DAY, "--yes")


def test_adjacent_times_share_no_tick_and_lose_none(hourly):
    parts = [
        "2026-01-05T00:00:00Z",
        "2026-01-05T07:00:00Z",
        "2026-01-05T07:30:00Z",
        "2026-01-06T00:00:00Z",
    ]
    found = []
    for begin, end in pairwise(parts):
        found += hourly.json(
            "schedules", "backfill", "n", "--from", begin, "--to", end, "--dry-run"
        )["ticks"]
    assert found == hourly.json("schedules", "backfill", "n", *DAY, "--dry-run")["ticks"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("n", *DAY, "--limit", "10", "--yes"), "there are 24 ticks in that time, 10 may start"),
        (
            ("n", "--from", "2026-01-06T00:00:00Z", "--to", "2026-01-05T00:00:00Z", "--yes"),
            "swap the two",
        ),
        (("n", "--from", "1h", "--to", "2190-01-01T00:00:00Z", "--yes"), "has not passed yet"),
        (("n", "--from", "soon", "--to", "1h", "--yes"), "not a time"),
        (("nobody", *DAY, "--yes"), "there is no schedule"),
    ],
)
def test_what_cannot_be_meant_starts_nothing(hourly, words, why):
    assert why in hourly.refused("schedules", "backfill", *words)
    assert started(hourly) == ([], [])


def test_millions_of_ticks_are_counted_in_no_time(hourly):
    hourly.done("schedules", "add", "often", "demo.plain", "--cron", "* * * * *")
    words = ("often", "--from", "1990-01-01T00:00:00Z", "--to", "2020-01-01T00:00:00Z")
    assert "1000000 ticks" in hourly.refused("schedules", "backfill", *words, "--yes")
    assert (
        len(hourly.json("schedules", "backfill", *words, "--dry-run", "--limit", "5")["ticks"]) == 5
    )


def test_a_job_that_nobody_offers_is_not_started(hourly):
    hourly.services.redis.delete("beatdesk:catalogue")
    assert "demo.plain" in hourly.refused("schedules", "backfill", "n", *DAY, "--yes")
    assert started(hourly) == ([], [])


def test_a_time_without_ticks_starts_none(hourly):
    words = ("n", "--from", "2026-01-05T00:10:00Z", "--to", "2026-01-05T00:20:00Z", "--yes")
    assert hourly.done("schedules", "backfill", *words).startswith("0 runs of n wait")


def test_ticks_that_beat_has_not_dealt_with_are_left_to_it(hourly):
    hourly.services.redis.hset(keys.entry("n"), "meta", encode_meta(Meta(at("2026-01-05T20:00Z"))))
    body = hourly.json("schedules", "backfill", "n", *DAY, "--dry-run")
    assert (body["count"], body["left"], body["ticks"][-1]) == (21, 3, "2026-01-05T20:00:00Z")
    said = hourly.done("schedules", "backfill", "n", *DAY, "--yes")
    assert (
        "21 runs of n wait for their turn; 3 ticks are left to Beat, which has not dealt with "
        "them yet" in said
    )


def test_what_waits_is_shown_and_can_be_dropped(hourly, record):
    hourly.done("schedules", "backfill", "n", *DAY, "--yes")
    who = f"cli:{getpass.getuser()}"
    waiting = hourly.json("schedules", "show", "n")["waiting"]
    assert (len(waiting), waiting[0]) == (
        24,
        {"tick": "2026-01-05T00:00:00Z", "trigger": "backfill", "actor": who},
    )
    shown = hourly.done("schedules", "show", "n")
    assert f"2026-01-05 00:00:00 UTC (backfill, by {who})" in shown
    assert "and 14 more" in shown
    one = hourly.done("schedules", "drop-waiting", "n", "--tick", "2026-01-05T01:00:00Z")
    assert one == "1 tick of n waits no longer\n"
    dropped = hourly.json("schedules", "drop-waiting", "n")["dropped"]
    assert [held["tick"] for held in dropped[:2]] == [
        "2026-01-05T00:00:00Z",
        "2026-01-05T02:00:00Z",
    ]
    assert hourly.json("schedules", "show", "n")["waiting"] == []
    assert "no tick of 'n' waits" in hourly.refused("schedules", "drop-waiting", "n")
    record()
    runs = hourly.json("runs", "list", "--state", "skipped", "--limit", "50")["items"]
    assert {(run["reason"], run["actor"], run["schedule"], run["ticks"]) for run in runs} == {
        ("operator", who, "n", 1)
    }
    assert len({run["tick"] for run in runs}) == 24
