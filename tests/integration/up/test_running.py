"""What `beatdesk up` has running, and what else finds it."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from scheduler.clock import utc_now
from scheduler.health.status import status
from tests.support.up.house import House
from tests.support.waiting import wait_for


def test_the_first_start_ends_with_a_page_an_address_and_a_password(running: House) -> None:
    code, page = running.page("/login")
    assert code == 200
    assert "password" in page.lower()
    assert "admin@beatdesk.local" in running.up.log
    assert re.search(r"password +\w{4}-\w{4}-\w{4}-\w{4}\n", running.up.log)


def test_children_start_in_order_each_when_the_one_before_is_ready(running: House) -> None:
    order = re.findall(r"(\w+) is ready", running.up.log)[:5]
    assert order == ["valkey", "recorder", "worker", "beat", "web"]


def test_another_command_finds_the_server_and_the_database_with_no_setting(running: House) -> None:
    asked = running.command("status", "--json")
    assert asked.returncode == 0, asked.stdout + asked.stderr
    answer = json.loads(asked.stdout)
    assert answer["ok"]
    assert answer["beat"]["facts"]["last_tick_seconds"] < 5
    assert [worker["name"].split("@")[0] for worker in answer["workers"]["facts"]["workers"]] == [
        "beatdesk"
    ]


def test_celerys_own_command_finds_the_server_with_no_setting(running: House) -> None:
    command = [sys.executable, "-m", "celery", "-A", "scheduler", "inspect", "ping", "--json"]
    asked = subprocess.run(
        command,
        env=running.env,
        cwd=running.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert asked.returncode == 0, asked.stdout + asked.stderr
    assert sorted(name.split("@")[0] for name in json.loads(asked.stdout)) == [
        "beatdesk",
        "celerybeat",
    ]


def test_the_doctor_finds_nothing_wrong(running: House) -> None:
    asked = running.command("doctor", "--json")
    assert asked.returncode == 0, asked.stdout + asked.stderr
    found = {check["name"]: check["summary"] for check in json.loads(asked.stdout)["checks"]}
    assert found["redis eviction"].startswith("noeviction")
    assert found["redis persistence"].startswith("appendonly yes")


def test_an_empty_folder_gets_examples_that_are_due_later(running: House) -> None:
    asked = running.command("schedules", "list", "--json")
    assert asked.returncode == 0, asked.stderr
    names = {item["name"] for item in json.loads(asked.stdout)["items"]}
    assert {"daily-job-summary", "nightly-history-cleanup"} <= names


def test_the_server_is_for_this_machine_and_this_user_only(running: House) -> None:
    data = running.folder / "data"
    for private in ("server.json", "secret_key", "valkey/password", "valkey/valkey.conf"):
        assert stat.S_IMODE((data / private).stat().st_mode) == 0o600, private
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    services = running.services()
    assert services.redis.config_get("bind")["bind"] == "127.0.0.1"
    password = (data / "valkey/password").read_text()
    assert password not in Path(f"/proc/{running.pids('valkey')[0]}/cmdline").read_text()


def test_nothing_that_the_processes_write_is_open_to_others(running: House) -> None:
    started = running.command("schedules", "run", "daily-job-summary", "--json")
    assert started.returncode == 0, started.stderr
    data = running.folder / "data"
    wait_for(lambda: [*data.glob("reports/*/*.html")], 60, "a report")
    written = {path: path.lstat().st_mode for path in (data, *data.rglob("*"))}
    assert {"history.sqlite3", "history.sqlite3-wal", "appendonlydir", "reports"} <= {
        path.name for path in written
    }
    is_open = {str(path): f"{mode:o}" for path, mode in written.items() if mode & 0o077}
    assert is_open == {}


def test_a_second_up_in_the_folder_says_that_the_first_one_runs(running: House) -> None:
    second = running.command("up")
    assert second.returncode == 1
    assert str(running.up.pid) in second.stderr
    assert running.web in second.stderr
    assert running.page("/healthz")[0] == 200


@pytest.mark.parametrize("name", ["recorder", "worker", "beat", "web", "valkey"])
def test_a_child_that_is_killed_is_started_again_and_it_is_said(running: House, name: str) -> None:
    before = running.pids(name)[-1]
    os.kill(before, signal.SIGKILL)
    running.wait_for_successor(name, before)
    assert f"{name} (process {before}) died: exit code -9, SIGKILL" in running.up.log
    wait_for(lambda: status(running.services(), utc_now()).ok, 60, "everything well again")
    assert running.page("/healthz")[0] == 200
