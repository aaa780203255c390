"""`schedules bulk`: the same to many schedules, to all of them or to none, told for each."""

import pytest
from redis import Redis

from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.commands import Commands
from tests.support.schedules.contents import plain

JOB = "demo.plain"


@pytest.fixture
def three(beatdesk: Commands) -> list[str]:
    """Three schedules, two of which have a tag."""
    beatdesk.done("schedules", "add", "a", JOB, "--every", "3600", "--tag", "reports")
    beatdesk.done("schedules", "add", "b", JOB, "--every", "3600", "--tag", "reports", "--tag", "x")
    beatdesk.done("schedules", "add", "c", JOB, "--every", "3600")
    return ["a", "b", "c"]


def outcomes(beatdesk: Commands, *words: str) -> list[tuple[str, str, int | None]]:
    told = beatdesk.json("schedules", "bulk", *words)["items"]
    return [(one["name"], one["outcome"], one["revision"]) for one in told]


def test_tags_are_put_on_and_taken_off(beatdesk: Commands, three: list[str]) -> None:
    assert outcomes(beatdesk, "tag", *three, "--add", "x", "--remove", "reports") == [
        ("a", "tagged", 2),
        ("b", "tagged", 2),
        ("c", "tagged", 2),
    ]
    assert [item["tags"] for item in beatdesk.json("schedules", "list")["items"]] == [
        ["x"],
        ["x"],
        ["x"],
    ]
    assert outcomes(beatdesk, "tag", "a", "--add", "x") == [("a", "unchanged", 2)]


def test_filters_choose(beatdesk: Commands, three: list[str]) -> None:
    assert outcomes(beatdesk, "queue", "--with-tag", "reports", "--to", "slow") == [
        ("a", "moved", 2),
        ("b", "moved", 2),
    ]
    assert outcomes(beatdesk, "disable", "--search", "c") == [("c", "disabled", 2)]
    assert outcomes(beatdesk, "enable", "--state", "disabled") == [("c", "enabled", 3)]
    assert outcomes(beatdesk, "tag", "--with-tag", "nobody-has-this", "--add", "y") == []
    assert "no schedule is chosen" in beatdesk.done(
        "schedules", "bulk", "enable", "--job", "no.such"
    )


def test_nobody_changes_all_by_leaving_the_names_out(beatdesk: Commands, three: list[str]) -> None:
    before = beatdesk.written()
    assert "--all" in beatdesk.misused("schedules", "bulk", "disable")
    assert "--all" in beatdesk.misused("schedules", "bulk", "disable", "a", "--all")
    assert "--add or --remove" in beatdesk.misused("schedules", "bulk", "tag", "a")
    assert beatdesk.written() == before
    assert len(outcomes(beatdesk, "disable", "--all")) == 3


def test_with_one_refusal_nothing_is_changed_and_each_is_told(
    beatdesk: Commands, three: list[str]
) -> None:
    beatdesk.done("schedules", "disable", "b")
    before = beatdesk.written()
    said = beatdesk.refused("schedules", "bulk", "pause", "a", "b", "gone", "--reason", "x")
    assert "nothing was changed" in said
    assert "b: 'b' is off" in said
    assert "gone: there is no schedule" in said
    assert beatdesk.written() == before
    assert outcomes(beatdesk, "pause", "a", "c", "--reason", "x") == [
        ("a", "paused", 2),
        ("c", "paused", 2),
    ]


def test_each_is_resumed_by_itself(beatdesk: Commands, three: list[str]) -> None:
    beatdesk.done("schedules", "bulk", "pause", "--all", "--reason", "x")
    assert outcomes(beatdesk, "resume", "--state", "paused") == [
        (name, "resumed", 3) for name in three
    ]
    result = beatdesk("schedules", "bulk", "resume", "a")
    assert (result.exit_code, "a: 'a' is not paused" in result.stderr) == (1, True)


def test_deleting_asks(beatdesk: Commands, three: list[str]) -> None:
    assert "add --yes" in beatdesk.refused("schedules", "bulk", "delete", "--with-tag", "reports")
    assert outcomes(beatdesk, "delete", "--with-tag", "reports", "--yes") == [
        ("a", "deleted", None),
        ("b", "deleted", None),
    ]
    assert beatdesk.json("schedules", "list")["items"][0]["name"] == "c"


def test_plain_entries_are_adopted_and_static_ones_overridden(
    beatdesk: Commands, services: Services, redis: Redis
) -> None:
    plain(services, "one", task=JOB)
    plain(services, "two", task=JOB)
    plain(services, "static", task=JOB)
    redis.sadd(keys.STATICS_SET, "static")
    assert outcomes(beatdesk, "adopt", "one", "two") == [
        ("one", "adopted", 1),
        ("two", "adopted", 1),
    ]
    assert "static: 'static' is defined in code" in beatdesk.refused(
        "schedules", "bulk", "adopt", "--all"
    )
    assert outcomes(beatdesk, "queue", "static", "--to", "slow") == [("static", "moved", 1)]
    assert beatdesk.json("schedules", "show", "static")["override"]["fields"] == ["queue"]
