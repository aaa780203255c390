"""`schedules list | show`: the published JSON for programs, words and zones for people."""

import re
from datetime import timedelta

import pytest

from scheduler.clock import utc_now
from scheduler.rules.model.edit import Edit
from scheduler.storage import keys
from tests.support.builders import a_run_history, a_spec, cron
from tests.support.interface import POLICY_KEYS, SCHEDULE_KEYS

GREETING = ("--kwargs", '{"whom": "Ada"}')


@pytest.fixture
def three(beatdesk):
    """A crontab in a zone, an interval, and one that is switched off."""
    beatdesk.done(
        "schedules",
        "add",
        "nightly",
        "demo.greet",
        "--cron",
        "0 6 * * *",
        "--tz",
        "Asia/Tokyo",
        *GREETING,
    )
    beatdesk.done("schedules", "add", "often", "demo.plain", "--every", "3600", "--tag", "busy")
    beatdesk.done("schedules", "add", "resting", "demo.plain", "--cron", "0 6 * * *", "--disabled")
    return beatdesk


def test_the_json_of_a_schedule_has_the_keys_of_the_interface(three):
    listed = three.json("schedules", "list")
    assert set(listed) == {"items", "next"}
    assert listed["next"] is None
    for item in listed["items"]:
        assert set(item) == SCHEDULE_KEYS
        assert set(item["policies"]) == POLICY_KEYS
        assert item | {"waiting": [], "statistics": None} == three.json(
            "schedules", "show", item["name"]
        )
    assert [item["name"] for item in listed["items"]] == ["nightly", "often", "resting"]


def test_the_table_has_words_the_next_run_on_the_schedules_own_clock_and_no_colours(three):
    lines = three.done("schedules", "list").splitlines()
    assert lines[0].split("  ")[0] == "NAME"
    assert (
        len(
            {
                line.index(word)
                for line, word in zip(lines[1:], ["demo.greet", "demo.plain"], strict=False)
            }
        )
        == 1
    )
    nightly, often, resting = lines[1:]
    assert "At 06:00" in nightly
    assert "06:00:00 Asia/Tokyo" in nightly
    assert "Every hour" in often
    assert " UTC" in often
    assert "disabled" in resting
    assert "\x1b" not in "".join(lines)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("--search", "igh"), ["nightly"]),
        (("--state", "enabled"), ["nightly", "often"]),
        (("--state", "disabled"), ["resting"]),
        (("--job", "demo.plain"), ["often", "resting"]),
        (("--tag", "busy"), ["often"]),
        (("--search", "nothing"), []),
    ],
)
def test_a_list_is_filtered(three, words, names):
    assert [item["name"] for item in three.json("schedules", "list", *words)["items"]] == names


def test_a_list_is_read_page_by_page(three):
    seen, after = [], ()
    while True:
        page = three.json("schedules", "list", "--limit", "1", *after)
        assert len(page["items"]) <= 1
        seen += [item["name"] for item in page["items"]]
        if page["next"] is None:
            break
        after = ("--after", page["next"])
    assert seen == ["nightly", "often", "resting"]


def test_a_list_without_a_limit_is_whole(beatdesk):
    names = [f"n{number:03}" for number in range(205)]
    for name in names:
        beatdesk.services.schedules.create(
            a_spec(name, "demo.plain"), edit=Edit(actor="cli:test", now=utc_now())
        )
    assert [item["name"] for item in beatdesk.json("schedules", "list")["items"]] == names
    assert len(beatdesk.json("schedules", "list", "--limit", "203")["items"]) == 203


def test_the_newest_run_is_shown(three, record):
    schedule = three.services.schedules.get("often")
    now = utc_now()
    three.services.events.append_many(
        a_run_history("run-1", schedule=schedule, tick=now - timedelta(hours=2))
    )
    three.services.events.append_many(
        a_run_history("run-2", schedule=schedule, tick=now - timedelta(hours=1), state="failed")
    )
    record()
    assert three.json("schedules", "show", "often")["last_run"] == {
        "id": "run-2",
        "state": "failed",
    }
    assert "failed" in three.done("schedules", "list", "--search", "often")


def test_a_broken_entry_is_listed_with_its_problem_and_the_others_stay(three):
    three.services.redis.hset(
        keys.entry("broken"), mapping={"definition": "{not json", "meta": "{}"}
    )
    three.services.redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("broken"): 0})
    items = {item["name"]: item for item in three.json("schedules", "list")["items"]}
    assert set(items) == {"broken", "nightly", "often", "resting"}
    assert set(items["broken"]) == SCHEDULE_KEYS
    assert items["broken"]["problem"]
    assert items["often"]["problem"] is None
    assert [
        item["name"] for item in three.json("schedules", "list", "--state", "problem")["items"]
    ] == ["broken"]
    assert "problem" in three.done("schedules", "show", "broken")


def test_what_others_wrote_cannot_write_into_the_terminal(three):
    definition = '{"name": "evil", "task": "demo.x", "args": [], "kwargs": {"a": "\\u001b[2J"}, "options": {}, '
    definition += (
        '"schedule": {"__type__": "interval", "every": 60, "relative": false}, "enabled": true}'
    )
    name = "evil\x1b[2J"
    three.services.redis.hset(keys.entry(name), mapping={"definition": definition})
    three.services.redis.zadd(keys.SCHEDULE_ZSET, {keys.entry(name): 0})
    for words in (("list",), ("show", name)):
        said = three.done("schedules", *words)
        assert "evil\\x1b[2J" in said
        assert "\x1b" not in said


def test_a_schedule_is_shown_with_all_that_is_known(three):
    said = three.done("schedules", "show", "nightly")
    facts = dict(line.split("  ", 1) for line in said.splitlines())
    assert {key.strip() for key in facts} >= {
        "name",
        "state",
        "when",
        "next run",
        "job",
        "timezone",
        "kwargs",
        "uid",
    }
    assert "Asia/Tokyo" in said


def test_what_is_overdue_is_called_so_and_why_nothing_fires_is_said(three, services):
    earlier = utc_now() - timedelta(days=2)
    services.schedules.create(
        a_spec("waits", "demo.plain", when=cron("0 6 * * *")), edit=Edit(actor="ada", now=earlier)
    )
    listed, shown = three("schedules", "list"), three("schedules", "show", "waits")
    lines = {line.split()[0]: line for line in listed.stdout.splitlines()}
    assert " overdue since 20" in lines["waits"]
    assert "overdue" not in lines["often"]
    assert "06:00:00 UTC" in lines["waits"]
    assert re.search(r"^next run +overdue since 20", shown.stdout, re.MULTILINE)
    for said in (listed, shown):
        assert (
            "no Beat is leading, nothing is fired: what is overdue waits for one. Start one: celery"
            in said.stderr
        )
    assert "Beat" not in three("schedules", "show", "often").stderr
    services.redis.set(keys.BEAT_LOCK, "host:1", px=3000)
    assert "Beat" not in three("schedules", "list").stderr
