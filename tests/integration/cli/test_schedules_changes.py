"""`schedules add | edit | enable | disable | delete`: each is one revision, by the user at the
keyboard.
"""

import getpass

import pytest

from scheduler.errors import NotFound

NIGHTLY = (
    "schedules",
    "add",
    "nightly",
    "demo.greet",
    "--cron",
    "0 6 * * mon-fri",
    "--tz",
    "Europe/Berlin",
)
GREETING = ("--kwargs", '{"whom": "Ada"}')


@pytest.fixture
def nightly(beatdesk):
    """A saved crontab schedule; everything that can be given is."""
    return beatdesk.json(
        *NIGHTLY,
        *GREETING,
        "--queue",
        "slow",
        "--priority",
        "3",
        "--owner",
        "ada",
        "--tag",
        "a",
        "--tag",
        "b",
        "--description",
        "says hello",
        "--notes",
        "call Grace",
        "--comment",
        "as asked",
    )


def test_a_new_schedule_holds_all_that_was_given(beatdesk, nightly):
    assert nightly["when"] == {
        "kind": "crontab",
        "crontab": "0 6 * * mon-fri",
        "timezone": "Europe/Berlin",
        "day_match": "and",
        "dst_gap": "auto",
        "dst_repeat": "auto",
        "resolved": None,
    }
    expected = {
        "name": "nightly",
        "job": "demo.greet",
        "enabled": True,
        "revision": 1,
        "origin": "operator",
        "args": [],
        "kwargs": {"whom": "Ada"},
        "queue": "slow",
        "priority": 3,
        "owner": "ada",
        "tags": ["a", "b"],
        "description": "says hello",
        "notes": "call Grace",
        "updated_by": f"cli:{getpass.getuser()}",
        "last_run": None,
    }
    assert {key: nightly[key] for key in expected} == expected
    assert nightly["next"].endswith("Z")
    assert beatdesk.json("schedules", "show", "nightly") == nightly | {
        "waiting": [],
        "statistics": None,
    }


def test_a_new_interval_needs_no_zone_and_gets_an_anchor(beatdesk):
    saved = beatdesk.json("schedules", "add", "often", "demo.plain", "--every", "300")
    assert saved["when"]["kind"] == "interval"
    assert saved["when"]["every"] == 300
    assert saved["when"]["anchor"].endswith("Z")


def test_without_json_a_change_is_confirmed_in_a_line(beatdesk):
    said = beatdesk.done(*NIGHTLY, *GREETING)
    assert said.startswith("nightly made, revision 1: At 06:00")
    assert said.count("\n") == 1


def test_a_schedule_can_be_saved_switched_off(beatdesk):
    saved = beatdesk.json(*NIGHTLY, *GREETING, "--disabled")
    assert saved["enabled"] is False
    assert saved["next"] is None


def test_an_edit_changes_the_named_fields_only(beatdesk, nightly):
    edited = beatdesk.json(
        "schedules", "edit", "nightly", "--cron", "0 7 * * mon-fri", "--owner", "grace"
    )
    assert edited["revision"] == 2
    assert edited["when"] == nightly["when"] | {"crontab": "0 7 * * mon-fri"}
    assert edited["owner"] == "grace"
    changes = {"when", "owner", "revision", "next", "updated_at"}
    assert {key: edited[key] for key in edited if key not in changes} == {
        key: nightly[key] for key in nightly if key not in changes
    }


def test_an_edit_can_take_queue_priority_and_tags_away(beatdesk, nightly):
    edited = beatdesk.json(
        "schedules", "edit", "nightly", "--queue", "", "--priority", "none", "--tag", ""
    )
    assert (edited["queue"], edited["priority"], edited["tags"]) == (None, None, [])


def test_an_edit_can_change_the_job_with_its_arguments(beatdesk, nightly):
    edited = beatdesk.json("schedules", "edit", "nightly", "--job", "demo.plain", "--kwargs", "{}")
    assert (edited["job"], edited["kwargs"]) == ("demo.plain", {})


def test_an_edit_from_the_current_revision_is_saved(beatdesk, nightly):
    assert (
        beatdesk.json("schedules", "edit", "nightly", "--owner", "x", "--revision", "1")["revision"]
        == 2
    )


def test_an_edit_from_a_stale_revision_is_refused_with_both_revisions(beatdesk, nightly):
    beatdesk.done("schedules", "edit", "nightly", "--owner", "grace")
    before = beatdesk.written()
    said = beatdesk.refused("schedules", "edit", "nightly", "--owner", "x", "--revision", "1")
    assert "1" in said
    assert "2" in said
    body = beatdesk.refused_json("schedules", "edit", "nightly", "--owner", "x", "--revision", "1")
    assert body["field"] == "revision"
    assert beatdesk.written() == before


def test_an_edit_that_names_nothing_is_wrong_usage(beatdesk, nightly):
    assert "at least one field" in beatdesk.misused("schedules", "edit", "nightly")
    assert "at least one field" in beatdesk.misused(
        "schedules", "edit", "nightly", "--comment", "why"
    )


def test_a_schedule_is_switched_off_and_on(beatdesk, nightly):
    off = beatdesk.json("schedules", "disable", "nightly", "--comment", "holiday")
    assert (off["enabled"], off["next"], off["revision"]) == (False, None, 2)
    on = beatdesk.json("schedules", "enable", "nightly")
    assert (on["enabled"], on["next"], on["revision"]) == (True, nightly["next"], 3)
    assert beatdesk.done("schedules", "disable", "nightly").startswith(
        "nightly disabled, revision 4"
    )


@pytest.mark.parametrize("command", ["enable", "disable"])
def test_switching_from_a_stale_revision_is_refused(beatdesk, nightly, command):
    beatdesk.done("schedules", "edit", "nightly", "--owner", "grace")
    before = beatdesk.written()
    assert (
        beatdesk.refused_json("schedules", command, "nightly", "--revision", "1")["field"]
        == "revision"
    )
    assert beatdesk.written() == before


def test_a_deletion_with_yes_is_done(beatdesk, nightly):
    assert beatdesk.done("schedules", "delete", "nightly", "--yes") == "nightly deleted\n"
    with pytest.raises(NotFound):
        beatdesk.services.schedules.get("nightly")


def test_a_deletion_is_refused_where_nobody_can_be_asked(beatdesk, nightly):
    before = beatdesk.written()
    said = beatdesk.refused("schedules", "delete", "nightly")
    assert "'nightly'" in said
    assert "--yes" in said
    assert beatdesk.written() == before


@pytest.mark.parametrize(
    "words",
    [
        ("edit", "ghost", "--owner", "x"),
        ("enable", "ghost"),
        ("disable", "ghost"),
        ("delete", "ghost", "--yes"),
        ("run", "ghost"),
        ("show", "ghost"),
        ("next", "ghost"),
        ("history", "ghost"),
        ("revisions", "ghost"),
    ],
)
def test_a_schedule_that_is_not_there_is_named(beatdesk, words):
    before = beatdesk.written()
    assert "ghost" in beatdesk.refused("schedules", *words)
    assert beatdesk.written() == before


def test_every_change_is_a_revision_with_who_what_and_why(beatdesk, record):
    beatdesk.done(*NIGHTLY, *GREETING, "--comment", "as asked")
    beatdesk.done("schedules", "edit", "nightly", "--owner", "grace", "--comment", "new owner")
    beatdesk.done("schedules", "disable", "nightly", "--comment", "holiday")
    record()
    items = beatdesk.json("schedules", "revisions", "nightly")["items"]
    assert [(item["revision"], item["comment"]) for item in items] == [
        (3, "holiday"),
        (2, "new owner"),
        (1, "as asked"),
    ]
    assert {item["actor"] for item in items} == {f"cli:{getpass.getuser()}"}
    table = beatdesk.done("schedules", "revisions", "nightly")
    assert table.splitlines()[0].split() == ["REVISION", "AT", "WHAT", "BY", "COMMENT", "CHANGED"]
    assert "new owner" in table


@pytest.mark.parametrize(
    ("words", "when"),
    [
        (
            ("--at", "2090-12-24T18:00", "--tz", "Europe/Berlin"),
            {"kind": "once", "at": "2090-12-24T17:00:00Z"},
        ),
        (
            (
                "--rrule",
                "FREQ=MONTHLY;BYDAY=-1FR",
                "--dtstart",
                "2026-11-23T09:00",
                "--tz",
                "Europe/Berlin",
            ),
            {
                "kind": "rrule",
                "rrule": "FREQ=MONTHLY;BYDAY=-1FR",
                "dtstart": "2026-11-23T08:00:00Z",
                "timezone": "Europe/Berlin",
            },
        ),
        (
            ("--cron", "0 6 13 * 5L", "--day-match", "or", "--tz", "UTC"),
            {
                "kind": "crontab",
                "crontab": "0 6 13 * 5L",
                "resolved": None,
                "timezone": "UTC",
                "day_match": "or",
                "dst_gap": "auto",
                "dst_repeat": "auto",
            },
        ),
        (
            ("--every", "3600", "--anchor", "2026-11-23T00:07:00Z"),
            {"kind": "interval", "every": 3600.0, "anchor": "2026-11-23T00:07:00Z"},
        ),
    ],
)
def test_every_kind_of_rule_is_made_and_shown_again(beatdesk, words, when):
    made = beatdesk.json("schedules", "add", "kinds", "demo.plain", *words)
    assert made["when"] == when
    assert beatdesk.json("schedules", "show", "kinds")["when"] == when
    assert beatdesk.json("schedules", "edit", "kinds", "--notes", "kept")["when"] == when


def test_the_place_of_an_h_is_kept_by_later_edits(beatdesk):
    made = beatdesk.json("schedules", "add", "spread", "demo.plain", "--cron", "H H(2-4) * * *")
    assert made["when"]["crontab"] == "H H(2-4) * * *"
    assert made["when"]["resolved"].split()[2:] == ["*", "*", "*"]
    edited = beatdesk.json("schedules", "edit", "spread", "--owner", "ada")
    assert edited["when"] == made["when"]
