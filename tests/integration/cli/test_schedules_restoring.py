"""`schedules revisions` says what each changed, and `schedules restore` goes back to one of
them.
"""

import pytest

from scheduler.events.schema import ScheduleRestored, decode
from scheduler.storage import keys


@pytest.fixture
def edited(beatdesk, record):
    """The commands, with a schedule of three revisions."""
    beatdesk.done(
        "schedules", "add", "n", "demo.greet", "--cron", "0 6 * * *", "--kwargs", '{"whom": "Ada"}'
    )
    beatdesk.done("schedules", "edit", "n", "--cron", "0 7 * * *", "--owner", "Ada")
    beatdesk.done(
        "schedules", "edit", "n", "--kwargs", '{"whom": "Grace"}', "--comment", "a new boss"
    )
    record()
    return beatdesk


def test_each_revision_says_what_it_changed(edited):
    items = edited.json("schedules", "revisions", "n")["items"]
    assert [item["changes"] for item in items] == [
        [{"field": "kwargs.whom", "before": "Ada", "after": "Grace"}],
        [
            {"field": "when.crontab", "before": "0 6 * * *", "after": "0 7 * * *"},
            {"field": "owner", "before": "", "after": "Ada"},
        ],
        [],
    ]
    assert "when.crontab: 0 6 * * * → 0 7 * * *" in edited.done("schedules", "revisions", "n")


def test_an_earlier_revision_becomes_the_newest(edited, record):
    body = edited.json("schedules", "restore", "n", "1", "--comment", "it was better")
    assert (body["revision"], body["when"]["crontab"], body["kwargs"], body["owner"]) == (
        4,
        "0 6 * * *",
        {"whom": "Ada"},
        "",
    )
    (event,) = [
        event
        for _, fields in edited.services.redis.xrange(keys.EVENTS_STREAM)
        if isinstance(event := decode(fields), ScheduleRestored)
    ]
    assert (event.restored, event.comment, event.schedule.revision) == (1, "it was better", 4)
    record()
    newest = edited.json("schedules", "revisions", "n")["items"][0]
    assert (newest["action"], newest["revision"]) == ("restored", 4)
    assert "as it was in revision 3, as revision 5" in edited.done("schedules", "restore", "n", "3")


def test_a_pause_stays_when_a_revision_is_restored(edited):
    edited.done("schedules", "pause", "n", "--reason", "closed")
    assert edited.json("schedules", "restore", "n", "1")["paused"]["reason"] == "closed"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("n", "9"), "there is no revision 9"),
        (("n", "1", "--revision", "1"), "revision 3 is stored"),
        (("nobody", "1"), "there is no schedule"),
    ],
)
def test_what_cannot_be_restored_is_refused_and_nothing_is_written(edited, words, why):
    before = edited.written()
    assert why in edited.refused("schedules", "restore", *words)
    assert edited.written() == before


def test_a_revision_whose_job_is_gone_is_not_restored(edited, record):
    edited.done("schedules", "edit", "n", "--job", "demo.plain", "--kwargs", "{}")
    edited.services.redis.delete(keys.CATALOGUE_HASH)
    assert "demo.greet" in edited.refused("schedules", "restore", "n", "1")


def test_a_deleted_schedule_comes_back_as_it_was_in_a_revision(edited, record):
    uid = edited.json("schedules", "show", "n")["uid"]
    edited.done("schedules", "delete", "n", "--yes", "--comment", "by mistake")
    record()
    (gone,) = edited.json("schedules", "list", "--deleted")["items"]
    assert (gone["name"], gone["revision"], gone["comment"]) == ("n", 4, "by mistake")
    assert "by mistake" in edited.done("schedules", "list", "--deleted")
    assert len(edited.json("schedules", "revisions", "n")["items"]) == 4
    body = edited.json("schedules", "restore", "n", "2")
    assert (body["uid"], body["revision"], body["when"]["crontab"], body["owner"]) == (
        uid,
        5,
        "0 7 * * *",
        "Ada",
    )
    record()
    assert edited.json("schedules", "list", "--deleted")["items"] == []
    assert [one["action"] for one in edited.json("schedules", "revisions", "n")["items"]][:2] == [
        "restored",
        "deleted",
    ]


def test_a_deleted_schedule_does_not_take_the_place_of_another(edited, record):
    edited.done("schedules", "delete", "n", "--yes")
    record()
    (gone,) = edited.json("schedules", "list", "--deleted")["items"]
    edited.done("schedules", "add", "n", "demo.plain", "--every", "60")
    record()
    assert "no revision 2" in edited.refused("schedules", "restore", "n", "2")
    assert edited.json("schedules", "list", "--deleted")["items"] == [gone]


def test_what_was_deleted_while_paused_comes_back_paused(edited, record):
    edited.done("schedules", "pause", "n", "--reason", "x")
    edited.done("schedules", "delete", "n", "--yes")
    record()
    assert edited.json("schedules", "restore", "n", "4")["paused"]["reason"] == "x"
    assert edited.json("schedules", "list", "--state", "paused")["items"][0]["name"] == "n"


def test_deleted_ones_are_not_filtered(edited):
    assert "--limit and --after only" in edited.misused(
        "schedules", "list", "--deleted", "--tag", "x"
    )
