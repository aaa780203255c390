"""`schedules pause-all` and `resume-all`: everything stands still, and what was still before stays
so.
"""

import getpass

import pytest

from scheduler.clock import utc_now
from scheduler.rules.model.edit import Edit
from scheduler.storage import keys


@pytest.fixture
def three(beatdesk):
    """The commands, with one schedule on, one off and one paused on its own."""
    for name in ("on", "off", "own"):
        beatdesk.done("schedules", "add", name, "demo.plain", "--every", "3600")
    beatdesk.done("schedules", "disable", "off")
    beatdesk.done("schedules", "pause", "own", "--reason", "mine")
    return beatdesk


def test_everything_that_is_on_is_paused_and_comes_back(three):
    body = three.json("schedules", "pause-all", "--reason", "the data centre moves")
    assert body == {"paused": ["on"], "runs": [], "refused": {}}
    pause = three.services.pause_all.paused(utc_now())
    assert (pause.reason, pause.by) == ("the data centre moves", f"cli:{getpass.getuser()}")
    assert three.json("schedules", "show", "on")["paused"]["reason"] == "the data centre moves"
    assert three.json("schedules", "show", "own")["paused"]["reason"] == "mine"
    assert three.services.redis.zrangebyscore(keys.SCHEDULE_ZSET, 0, "+inf") == []
    assert "paused already" in three.refused("schedules", "pause-all", "--reason", "again")

    assert three.done("schedules", "resume-all").startswith("1 schedule resumed")
    assert three.services.pause_all.paused(utc_now()) is None
    assert three.json("schedules", "show", "on")["paused"] is None
    assert three.json("schedules", "show", "own")["paused"]["reason"] == "mine"
    assert three.json("schedules", "show", "off")["enabled"] is False
    assert "everything is not paused" in three.refused("schedules", "resume-all")


def test_what_was_paused_again_on_its_own_stays_paused(three):
    three.done("schedules", "pause-all", "--reason", "x")
    three.services.operations.pause(
        "on", reason="longer", edit=Edit(actor="bob@example.org", now=utc_now())
    )
    assert three.json("schedules", "resume-all")["resumed"] == []
    assert three.json("schedules", "show", "on")["paused"]["reason"] == "longer"


def test_an_entry_that_cannot_be_read_is_told_and_keeps_nobody(three):
    three.services.redis.hset(keys.entry("broken"), "definition", "{")
    three.services.redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("broken"): 1})
    body = three.json("schedules", "pause-all", "--reason", "x", "--until", "2h")
    assert body["paused"] == ["on"]
    assert "not JSON" in body["refused"]["broken"]


def test_a_pause_without_a_reason_pauses_nothing(three):
    before = three.written()
    assert "needs a reason" in three.refused("schedules", "pause-all", "--reason", " ")
    assert three.written() == before
    assert three.services.pause_all.paused(utc_now()) is None
