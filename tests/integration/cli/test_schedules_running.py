"""`schedules run`: queued, or waited for, with a real worker and a real recorder."""

import getpass
import json
import signal
import sys

import pytest

from scheduler.settings.schema import Settings
from tests.support.interface import RUN_KEYS
from tests.support.processes import Process, env_of, start_recorder, start_worker
from tests.support.waiting import wait_for


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Workers offer the jobs of tests/support/jobs.py too."""
    return settings.model_copy(update={"jobs": ("tests.support.jobs",)})


@pytest.fixture
def working(beatdesk, settings):
    """The commands, beside a worker and a recorder."""
    recorder = start_recorder(settings)
    start_worker(settings)
    wait_for(
        lambda: beatdesk.services.catalogue.get("tests.add"), 20, "the worker publishes its jobs"
    )
    assert recorder.running(), recorder.log
    return beatdesk


def test_a_run_is_queued_and_published_whole(beatdesk):
    beatdesk.done(
        "schedules", "add", "n", "demo.greet", "--cron", "0 6 * * *", "--kwargs", '{"whom": "Ada"}'
    )
    before = beatdesk.json("schedules", "show", "n")
    run = beatdesk.json("schedules", "run", "n", "--kwargs", '{"whom": "Grace", "times": 2}')
    assert set(run) == RUN_KEYS
    expected = {
        "schedule": "n",
        "schedule_uid": before["uid"],
        "revision": 1,
        "job": "demo.greet",
        "trigger": "manual",
        "actor": f"cli:{getpass.getuser()}",
        "state": "queued",
        "kwargs": {"whom": "Grace", "times": 2},
    }
    assert {key: run[key] for key in expected} == expected
    assert beatdesk.services.redis.llen("default") == 1
    after = beatdesk.json("schedules", "show", "n")
    assert (after["next"], after["revision"]) == (before["next"], before["revision"])


def test_a_queued_run_is_announced_with_how_to_look_at_it(beatdesk):
    beatdesk.done("schedules", "add", "n", "demo.plain", "--every", "3600")
    said = beatdesk.done("schedules", "run", "n")
    run_id = said.split("run ")[1].split(";")[0]
    assert said == f"n queued as run {run_id}; see: beatdesk runs show {run_id}\n"


def test_what_was_queued_is_in_the_history_once_it_is_recorded(beatdesk, record):
    beatdesk.done("schedules", "add", "n", "demo.plain", "--every", "3600")
    queued = beatdesk.json("schedules", "run", "n")
    record()
    recorded = beatdesk.json("runs", "show", queued["id"])
    assert {key: recorded[key] for key in RUN_KEYS - {"queue"}} == {
        key: queued[key] for key in RUN_KEYS - {"queue"}
    }


def test_waiting_ends_with_the_run_and_its_result_or_with_exit_code_1(working):
    working.done("schedules", "add", "sum", "tests.add", "--every", "3600", "--kwargs", '{"x": 1}')
    run = working.json(
        "schedules", "run", "sum", "--kwargs", '{"x": 40, "y": 2}', "--wait", "--timeout", "60"
    )
    assert (run["state"], run["result"], run["trigger"]) == ("succeeded", 42, "manual")
    said = working.done("schedules", "run", "sum", "--wait", "--timeout", "60")
    assert "succeeded" in said

    working.done("schedules", "add", "bad", "tests.fail", "--every", "3600")
    failed = working("schedules", "run", "bad", "--wait", "--timeout", "60", "--json")
    assert failed.exit_code == 1
    body = json.loads(failed.stdout)
    assert body["state"] == "failed"
    assert "no such luck" in body["error"]
    assert "ValueError" in body["traceback"]


def test_waiting_ends_at_the_timeout_and_at_ctrl_c_while_the_run_goes_on(
    working, settings, tmp_path
):
    mark = tmp_path / "mark"
    kwargs = json.dumps({"seconds": 4, "mark": str(mark)})
    working.done("schedules", "add", "slow", "tests.wait", "--every", "3600", "--kwargs", kwargs)
    said = working.refused("schedules", "run", "slow", "--wait", "--timeout", "0.5")
    assert "0.5 seconds" in said
    assert "--timeout" in said

    command = (sys.executable, "-m", "scheduler", "schedules", "run", "slow", "--wait")
    waiting = Process(*command, env=env_of(settings), name="run --wait")
    wait_for(
        lambda: mark.exists() and mark.read_text().count("begin") == 2, 30, "the second run begins"
    )
    waiting.popen.send_signal(signal.SIGINT)
    assert waiting.wait(10) == 1
    assert "goes on" in waiting.log
    wait_for(lambda: mark.read_text().count("end") == 2, 30, "both runs end in peace")


def test_a_queued_run_can_be_cancelled(working, tmp_path):
    mark = tmp_path / "mark"
    kwargs = json.dumps({"seconds": 60, "mark": str(mark)})
    working.done("schedules", "add", "slow", "tests.wait", "--every", "3600", "--kwargs", kwargs)
    run = working.json("schedules", "run", "slow")
    wait_for(mark.exists, 30, "the run begins")
    wait_for(
        lambda: working("runs", "show", run["id"]).exit_code == 0, 10, "the run is in the history"
    )
    answer = working.json("runs", "cancel", run["id"])
    assert answer == {"id": run["id"], "cancelled": True, "effect": "stopping"}
    wait_for(
        lambda: working.json("runs", "show", run["id"])["state"] == "revoked",
        20,
        "the run is revoked",
    )
