"""`schedules pause`, `resume` and `skip`: what holds ticks back, what becomes of them, and who said
so.
"""

import getpass
from datetime import datetime, timedelta

import pytest

from scheduler.clock import utc_now
from scheduler.events.schema import SchedulePaused, ScheduleResumed, TicksSkipped, decode
from scheduler.redbeat.codec import Meta, encode_meta
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.identity import run_id
from scheduler.storage import keys
from tests.support.builders import at

WHO = f"cli:{getpass.getuser()}"


@pytest.fixture
def minutely(beatdesk):
    """The commands, with a schedule that is due every minute."""
    beatdesk.done("schedules", "add", "n", "demo.plain", "--cron", "* * * * *")
    return beatdesk


def facts(beatdesk, kind):
    """The facts of one kind in the stream."""
    entries = beatdesk.services.redis.xrange(keys.EVENTS_STREAM)
    return [event for _, fields in entries if isinstance(event := decode(fields), kind)]


def paused_since(beatdesk, name: str, minutes: int) -> datetime:
    """Pause a schedule as if it had been so many minutes ago; when."""
    since = utc_now() - timedelta(minutes=minutes)
    beatdesk.services.operations.pause(name, reason="x", edit=Edit(actor="ada", now=since))
    beatdesk.services.redis.hset(keys.entry(name), "meta", encode_meta(Meta(since, 0)))
    return since


def test_a_pause_says_why_and_by_whom_and_nothing_is_due(minutely):
    body = minutely.json("schedules", "pause", "n", "--reason", "the bank is closed")
    assert body["paused"]["reason"] == "the bank is closed"
    assert body["paused"]["by"] == WHO
    assert body["paused"]["until"] is None
    assert (body["next"], body["revision"], body["enabled"]) == (None, 2, True)
    assert minutely.services.redis.zscore(keys.SCHEDULE_ZSET, keys.entry("n")) == -1
    assert "paused" in minutely.done("schedules", "list")
    assert "the bank is closed (by cli:" in minutely.done("schedules", "show", "n")
    (event,) = facts(minutely, SchedulePaused)
    assert (event.comment, event.actor, event.revision) == ("the bank is closed", WHO, 2)


def test_a_pause_may_end_by_itself(minutely):
    until = at("2190-01-01T00:00:00Z")
    body = minutely.json(
        "schedules", "pause", "n", "--reason", "x", "--until", "2190-01-01T00:00:00Z"
    )
    assert body["paused"]["until"] == "2190-01-01T00:00:00Z"
    assert body["next"] == "2190-01-01T00:00:00Z"
    assert minutely.services.redis.zscore(keys.SCHEDULE_ZSET, keys.entry("n")) == until.timestamp()
    said = minutely.done("schedules", "pause", "n", "--reason", "x", "--until", "2h")
    assert said.startswith("n paused until 20")


def test_a_pause_said_again_keeps_its_beginning(minutely):
    first = minutely.json("schedules", "pause", "n", "--reason", "one")
    second = minutely.json("schedules", "pause", "n", "--reason", "two", "--until", "7d")
    assert second["paused"]["since"] == first["paused"]["since"]
    assert second["paused"]["reason"] == "two"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("pause", "n", "--reason", "  "), "needs a reason"),
        (("pause", "n", "--reason", "x" * 501), "500"),
        (("pause", "n", "--reason", "x", "--until", "2020-01-01T00:00:00Z"), "later than now"),
        (("pause", "n", "--reason", "x", "--until", "soon"), "not a time"),
        (("pause", "nobody", "--reason", "x"), "there is no schedule"),
        (("resume", "n"), "not paused"),
        (("skip", "n", "--tick", "2020-01-01T00:00:00Z"), "not a coming tick"),
        (("skip", "n", "--tick", "2190-01-01T00:00:30Z"), "its next one is"),
        (
            ("skip", "n", "--tick", "2190-01-01T00:00:00Z", "--undo"),
            "not a skipped tick of 'n'",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_reason_and_nothing_is_written(
    minutely, words, why
):
    before = minutely.written()
    assert why in minutely.refused("schedules", *words)
    assert minutely.written() == before


def test_a_schedule_that_is_off_has_nothing_to_pause(minutely):
    minutely.done("schedules", "disable", "n")
    assert "switch it on first" in minutely.refused("schedules", "pause", "n", "--reason", "x")


def test_by_default_what_a_pause_held_back_is_skipped_as_one_range(minutely):
    since = paused_since(minutely, "n", 90)
    body = minutely.json("schedules", "resume", "n", "--comment", "open again")
    assert body["runs"] == []
    assert body["paused"] is None
    assert datetime.fromisoformat(body["next"]) > utc_now() - timedelta(seconds=1)
    assert minutely.services.redis.llen("default") == 0
    (skipped,) = facts(minutely, TicksSkipped)
    assert skipped.reason == "paused"
    assert skipped.ticks in (90, 91)
    assert since <= skipped.tick_from < since + timedelta(minutes=1)
    (resumed,) = facts(minutely, ScheduleResumed)
    assert (resumed.missed, resumed.comment, resumed.schedule.paused) == (
        "skip",
        "open again",
        None,
    )


def test_the_latest_or_all_of_them_may_run_after_all(minutely):
    paused_since(minutely, "n", 30)
    body = minutely.json("schedules", "resume", "n", "--missed", "latest")
    (skipped,) = facts(minutely, TicksSkipped)
    newest = skipped.tick_to + timedelta(minutes=1)
    assert body["runs"] == [run_id(body["uid"], newest)]
    assert minutely.services.waiting.of(body["uid"]) == [WaitingTick(newest, "schedule", WHO)]

    minutely.done("schedules", "add", "all", "demo.plain", "--cron", "* * * * *")
    since = paused_since(minutely, "all", 5)
    body = minutely.json("schedules", "resume", "all", "--missed", "all")
    assert len(body["runs"]) in (5, 6)
    assert [event for event in facts(minutely, TicksSkipped) if event.schedule == "all"] == []
    first = since.replace(second=0, microsecond=0) + timedelta(minutes=1)
    assert body["runs"][0] == run_id(body["uid"], first)


def test_too_many_runs_are_not_started_at_once(minutely):
    paused_since(minutely, "n", 1100)
    before = minutely.written()
    assert "backfill what is needed" in minutely.refused(
        "schedules", "resume", "n", "--missed", "all"
    )
    assert minutely.written() == before


def test_a_pause_that_has_ended_by_itself_is_no_pause(minutely):
    early = utc_now() - timedelta(minutes=10)
    until = utc_now() - timedelta(minutes=5)
    minutely.services.operations.pause(
        "n", reason="x", until=until, edit=Edit(actor="ada", now=early)
    )
    assert "enabled" in minutely.done("schedules", "list")
    assert "not paused" in minutely.refused("schedules", "resume", "n")


def test_an_edit_keeps_the_pause(minutely):
    minutely.done("schedules", "pause", "n", "--reason", "x")
    minutely.done("schedules", "edit", "n", "--owner", "Ada")
    assert minutely.json("schedules", "show", "n")["paused"]["reason"] == "x"
    assert minutely.services.redis.zscore(keys.SCHEDULE_ZSET, keys.entry("n")) == -1


def test_one_coming_tick_is_skipped_and_may_be_kept_after_all(minutely):
    minutely.done("schedules", "add", "daily", "demo.plain", "--cron", "0 6 * * *")
    before = minutely.json("schedules", "show", "daily")
    body = minutely.json("schedules", "skip", "daily")
    assert body["tick"] == before["next"]
    assert body["skips"] == [before["next"]]
    following = datetime.fromisoformat(before["next"]) + timedelta(days=1)
    assert datetime.fromisoformat(body["next"]) == following
    assert "skipped" in minutely.done("schedules", "show", "daily")
    again = minutely.json("schedules", "skip", "daily", "--tick", following.isoformat())
    assert len(again["skips"]) == 2
    kept = minutely.json("schedules", "skip", "daily", "--undo", "--tick", before["next"])
    assert kept["next"] == before["next"]
    assert "--undo needs --tick" in minutely.misused("schedules", "skip", "daily", "--undo")


def test_who_paused_and_resumed_is_in_the_revisions(minutely, record):
    minutely.done("schedules", "pause", "n", "--reason", "closed")
    minutely.done("schedules", "resume", "n")
    minutely.done("schedules", "skip", "n")
    record()
    items = minutely.json("schedules", "revisions", "n")["items"]
    assert [item["action"] for item in items] == ["tick_skipped", "resumed", "paused", "created"]
    assert items[2]["comment"] == "closed"
    assert items[2]["definition"]["paused"]["reason"] == "closed"
