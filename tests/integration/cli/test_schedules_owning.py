"""`schedules reset` and `adopt`, what `show` tells of overrides, and the states in `list`."""

from datetime import UTC, datetime

import pytest
from redis import Redis

from scheduler.clock import utc_now
from scheduler.redbeat.codec import Meta, encode_meta
from scheduler.schedules.changes import ASLEEP
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.commands import Commands
from tests.support.interface import SCHEDULE_KEYS
from tests.support.schedules.contents import plain

JOB = "demo.plain"


@pytest.fixture
def static(services: Services, redis: Redis) -> str:
    """An entry that code owns."""
    plain(services, "static", task="demo.echo", kwargs={"value": 1})
    redis.sadd(keys.STATICS_SET, "static")
    return "static"


def test_an_edit_of_a_static_entry_is_an_override_that_show_tells(
    beatdesk: Commands, static: str
) -> None:
    beatdesk.done("schedules", "edit", static, "--kwargs", '{"value": 7}', "--queue", "slow")
    shown = beatdesk.done("schedules", "show", static)
    assert "kwargs, queue; `schedules reset` takes it off" in shown
    assert '{"value": 1}' in shown
    body = beatdesk.json("schedules", "show", static)
    assert set(body) == SCHEDULE_KEYS | {"waiting", "statistics"}
    assert body["kwargs"] == {"value": 7}
    assert body["override"] == {
        "fields": ["kwargs", "queue"],
        "code": {"kwargs": {"value": 1}, "queue": None},
        "code_has_changed": False,
    }


def test_a_change_of_the_code_under_an_override_is_told(
    beatdesk: Commands, services: Services, static: str
) -> None:
    beatdesk.done("schedules", "edit", static, "--kwargs", '{"value": 7}')
    plain(services, static, task="demo.echo", kwargs={"value": 2})
    assert "the code has changed since" in beatdesk.done("schedules", "show", static)
    assert beatdesk.json("schedules", "show", static)["override"]["code_has_changed"] is True
    assert beatdesk.json("schedules", "list")["items"][0]["override"]["code"] == {
        "kwargs": {"value": 2}
    }


def test_reset_takes_the_override_off(beatdesk: Commands, static: str) -> None:
    beatdesk.done("schedules", "edit", static, "--kwargs", '{"value": 7}', "--retries", "3")
    assert "static is as code says, revision 2" in beatdesk.done(
        "schedules", "reset", static, "--comment", "enough"
    )
    body = beatdesk.json("schedules", "show", static)
    assert (body["override"], body["kwargs"], body["policies"]["retries"]) == (
        None,
        {"value": 1},
        0,
    )
    assert "no override" in beatdesk.refused("schedules", "reset", static)


def test_an_adopted_entry_is_an_operators_and_fires_as_before(
    beatdesk: Commands, services: Services, redis: Redis
) -> None:
    plain(services, "plain", task=JOB)
    last = datetime(2026, 11, 20, 6, tzinfo=UTC)
    redis.hset(keys.entry("plain"), "meta", encode_meta(Meta(last, 4)))
    before = (
        redis.hgetall(keys.entry("plain")),
        redis.zscore(keys.SCHEDULE_ZSET, keys.entry("plain")),
    )
    uid = beatdesk.json("schedules", "show", "plain")["uid"]
    assert "plain is an operator's, revision 1" in beatdesk.done(
        "schedules", "adopt", "plain", "--comment", "ours"
    )
    body = beatdesk.json("schedules", "show", "plain")
    assert (body["origin"], body["revision"], body["uid"]) == ("operator", 1, uid)
    assert (body["policies"]["overlap"], body["policies"]["catch_up_window"]) == (
        "allow",
        366 * 86_400,
    )
    after = (
        redis.hgetall(keys.entry("plain")),
        redis.zscore(keys.SCHEDULE_ZSET, keys.entry("plain")),
    )
    assert {key: after[0][key] for key in before[0]} == before[0]
    assert after[1] == before[1]


def test_an_edit_alone_does_not_adopt(beatdesk: Commands, services: Services) -> None:
    plain(services, "plain", task=JOB)
    beatdesk.done("schedules", "edit", "plain", "--notes", "mind this")
    assert beatdesk.json("schedules", "show", "plain")["origin"] == "redbeat"
    beatdesk.done("schedules", "adopt", "plain")
    body = beatdesk.json("schedules", "show", "plain")
    assert (body["origin"], body["revision"], body["notes"]) == ("operator", 2, "mind this")


def test_what_code_owns_is_not_adopted(beatdesk: Commands, static: str) -> None:
    assert "put an override on it" in beatdesk.refused("schedules", "adopt", static)


def test_the_list_finds_every_state_that_it_shows(beatdesk: Commands, redis: Redis) -> None:
    for name in ("on", "off", "held", "done"):
        beatdesk.done("schedules", "add", name, JOB, "--every", "3600", "--max-runs", "1")
    beatdesk.done("schedules", "disable", "off")
    beatdesk.done("schedules", "pause", "held", "--reason", "x")
    redis.hset(keys.entry("done"), "meta", encode_meta(Meta(utc_now(), 1)))
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("done"): ASLEEP})
    found = {
        state: [
            item["name"] for item in beatdesk.json("schedules", "list", "--state", state)["items"]
        ]
        for state in ("enabled", "disabled", "paused", "finished", "problem")
    }
    assert found == {
        "enabled": ["done", "held", "on"],
        "disabled": ["off"],
        "paused": ["held"],
        "finished": ["done"],
        "problem": [],
    }
    table = beatdesk.done("schedules", "list")
    assert [line.split()[1] for line in table.splitlines()[1:]] == [
        "finished",
        "paused",
        "disabled",
        "enabled",
    ]


def test_a_job_of_an_override_is_found(beatdesk: Commands, services: Services, static: str) -> None:
    beatdesk.done("schedules", "edit", static, "--job", "demo.plain", "--kwargs", "{}")
    assert [
        item["name"] for item in beatdesk.json("schedules", "list", "--job", "demo.plain")["items"]
    ] == [static]
