"""`runs rerun`: what a run did, once more."""

import getpass
import json

import pytest

from scheduler.clock import utc_now
from scheduler.events.schema import RunLost, TicksMissed, run_event
from scheduler.schedules.missed_in_pause import verdict
from tests.support.builders import NOON
from tests.support.schedules.contents import messages


@pytest.fixture
def old(beatdesk, record):
    """The id of a run of a schedule with arguments."""
    beatdesk.done(
        "schedules", "add", "n", "demo.greet", "--cron", "0 6 * * *", "--kwargs", '{"whom": "Ada"}'
    )
    run = beatdesk.json("schedules", "run", "n", "--kwargs", '{"whom": "Grace", "times": 2}')
    record()
    beatdesk.services.redis.delete("default")
    return run["id"]


def test_a_run_runs_again_with_its_own_arguments_and_names_its_parent(beatdesk, record, old):
    answer = beatdesk.json("runs", "rerun", old)
    assert answer["parent"] == old
    assert answer["id"] != old
    (message,) = messages(beatdesk.services.redis)
    assert message["headers"]["id"] == answer["id"]
    assert "Grace" in message["headers"]["kwargsrepr"]
    record()
    run = beatdesk.json("runs", "show", answer["id"])
    expected = {
        "parent": old,
        "trigger": "rerun",
        "actor": f"cli:{getpass.getuser()}",
        "kwargs": {"whom": "Grace", "times": 2},
        "schedule": "n",
        "revision": 1,
    }
    assert {key: run[key] for key in expected} == expected


def test_or_with_others(beatdesk, record, old):
    answer = beatdesk.json("runs", "rerun", old, "--kwargs", '{"whom": "Bob"}')
    record()
    assert beatdesk.json("runs", "show", answer["id"])["kwargs"] == {"whom": "Bob"}


def test_a_run_whose_schedule_is_gone_runs_again_too(beatdesk, old):
    beatdesk.done("schedules", "delete", "n", "--yes")
    assert "runs again as" in beatdesk.done("runs", "rerun", old)
    assert len(messages(beatdesk.services.redis)) == 1


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--kwargs", '{"who": 1}'), "who"),
        (("--kwargs", "[1]"), "not a JSON object"),
        (("--args", "{}"), "not a JSON list"),
    ],
)
def test_what_the_job_cannot_take_starts_nothing(beatdesk, old, words, why):
    assert why in beatdesk.refused("runs", "rerun", old, *words)
    assert messages(beatdesk.services.redis) == []


def test_hidden_secrets_come_from_the_schedule_or_have_to_be_given(beatdesk, record):
    kwargs = json.dumps({"value": {"webhook_url": "s3cret"}})
    beatdesk.done("schedules", "add", "n", "demo.echo", "--cron", "0 6 * * *", "--kwargs", kwargs)
    run = beatdesk.json("schedules", "run", "n")["id"]
    record()
    beatdesk.services.redis.delete("default")
    beatdesk.done("runs", "rerun", run)
    assert "s3cret" in messages(beatdesk.services.redis)[0]["headers"]["kwargsrepr"]

    beatdesk.done("schedules", "edit", "n", "--kwargs", '{"value": 1}')
    said = beatdesk.refused("runs", "rerun", run)
    assert "secrets are hidden" in said
    assert "--kwargs" in said or "give them anew" in said
    assert len(messages(beatdesk.services.redis)) == 1


def test_ticks_that_never_ran_cannot_run_again(beatdesk, record, old):
    schedule = beatdesk.services.schedules.get("n")
    event = verdict(TicksMissed, schedule, "scheduler_down", (NOON, NOON, 1), utc_now())
    beatdesk.services.events.append(event)
    record()
    missed = beatdesk.json("runs", "list", "--state", "missed")["items"][0]["id"]
    assert "backfill" in beatdesk.refused("runs", "rerun", missed)
    assert "no run" in beatdesk.refused("runs", "rerun", "nobody")


def test_a_lost_run_whose_message_comes_back_is_doubled_only_by_word(beatdesk, record, old):
    services = beatdesk.services
    run = beatdesk.json("schedules", "run", "n")["id"]
    lost = run_event(RunLost, run, 1, utc_now())
    services.events.append(lost)
    record()
    answer = beatdesk.refused_json("runs", "rerun", run)
    assert answer["field"] == "anyway"
    assert "its message is still with the broker" in answer["error"]
    assert services.redis.llen("default") == 1
    beatdesk.json("runs", "rerun", run, "--anyway")
    assert services.redis.llen("default") == 2
    services.redis.delete("default")
    beatdesk.json("runs", "rerun", run)
    assert services.redis.llen("default") == 1
