"""The commands as they are typed: `beatdesk` and `python -m scheduler`, with settings from the
environment.
"""

import json
import os
import pty
import select
import subprocess
import sys

import pytest

from tests.support.processes import ROOT, env_of


@pytest.fixture
def typed(beatdesk, settings):
    """Run a command line in a process of its own; `beatdesk` has published the jobs."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words,
            check=False,
            env=env_of(settings),
            cwd=ROOT,
            text=True,
            capture_output=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
        )

    return run


def test_a_schedule_is_made_and_listed_by_both_names_of_the_command(typed):
    made = typed("beatdesk", "schedules", "add", "n", "demo.plain", "--every", "60", "--json")
    assert made.returncode == 0, made.stderr
    assert made.stderr.startswith("beatdesk: no worker reads the queue 'default'")
    listed = typed(sys.executable, "-m", "scheduler", "schedules", "list", "--json")
    assert listed.returncode == 0, listed.stderr
    assert json.loads(listed.stdout) == {"items": [json.loads(made.stdout)], "next": None}


def test_a_refusal_is_one_line_and_exit_code_1(typed):
    refused = typed("beatdesk", "schedules", "add", "n", "demo.plain", "--cron", "61 * * * *")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "61" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_wrong_usage_is_exit_code_2(typed):
    assert typed("beatdesk", "schedules", "add").returncode == 2


def test_a_redis_that_is_away_is_told_with_what_to_do(typed, valkey):
    valkey.stop()
    for words in (("schedules", "list"), ("jobs", "list"), ("schedules", "show", "n")):
        away = typed("beatdesk", *words, "--json")
        assert (away.returncode, away.stdout) == (1, "")
        assert "Redis does not answer" in json.loads(away.stderr)["error"]


def test_at_a_terminal_a_deletion_is_asked_for(typed, beatdesk, settings):
    typed("beatdesk", "schedules", "add", "n", "demo.plain", "--every", "60")
    assert _answer(settings, "n\n") == 1
    assert beatdesk.json("schedules", "show", "n")["name"] == "n"
    assert _answer(settings, "y\n") == 0
    beatdesk.refused("schedules", "show", "n")


def _answer(settings, text: str) -> int:
    """Type `text` at the question of `schedules delete n`; the exit code."""
    ours, theirs = pty.openpty()
    command = subprocess.Popen(
        ["beatdesk", "schedules", "delete", "n"],
        env=env_of(settings),
        cwd=ROOT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    seen = b""
    while b"Delete n?" not in seen:
        assert select.select([ours], [], [], 30)[0], seen
        seen += os.read(ours, 1024)
    os.write(ours, text.encode())
    code = command.wait(30)
    os.close(ours)
    return code
