"""Every command that a document shows is typed here as it stands there, beside a worker, Beat and
the recorder.

The pages come one after the other, each in a desk without schedules and calendars, but for two that
a page may take for granted: `nightly-report`, unless the page makes it itself, and one whose run
waits.
"""

import json
import re
import shlex
import subprocess
import sys

import pytest
from click.testing import CliRunner

from scheduler.cli import cli
from scheduler.clock import utc_now
from scheduler.services.services import Services
from tests.docs.files import Document, documents
from tests.support.processes import ROOT, env_of, start_beat, start_recorder, start_worker
from tests.support.waiting import wait_for

RUN_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
TAKEN_FOR_GRANTED = "nightly-report"
RULES = "docs/reference/schedule-rules.md"
ON_DEMAND = "docs/how-to/run-on-demand.md"


@pytest.fixture
def working(services, settings, monkeypatch, tmp_path):
    """All processes run, this one reads the same settings from its environment, and a run waits for
    a worker.
    """
    start_recorder(settings)
    start_worker(settings)
    start_beat(settings)
    monkeypatch.chdir(tmp_path)
    for name, value in env_of(settings).items():
        if name.startswith("BEATDESK_"):
            monkeypatch.setenv(name, value)
    wait_for(
        lambda: services.catalogue.get("reports.job_summary"), 30, "the worker publishes its jobs"
    )
    return services


def typed(words: list[str], page: str = "") -> str:
    """What a command prints that is done."""
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0, (
        f"{page}: beatdesk {shlex.join(words)}: {result.exit_code}\n{result.output}"
    )
    return result.stdout


def wait_until_recorded(services: Services) -> None:
    """The history has all that was done so far: a reader types more slowly than this test."""
    wait_for(lambda: services.events.lag().events == 0, 30, "the recorder has caught up")


def wipe(services: Services) -> None:
    """No schedules and no calendars, as a page expects it."""
    names = [item.name for item in services.schedules.page(limit=500, now=utc_now()).items]
    if names:
        typed(["schedules", "bulk", "delete", *names, "--yes"])
    for calendar in json.loads(typed(["calendars", "list", "--json"]))["items"]:
        typed(["calendars", "delete", calendar["name"], "--yes"])


def set_up(page: Document) -> str:
    """What a page takes for granted; the id of a run that waits for ever."""
    typed(shlex.split("schedules add waiting demo.long_task --every 3600 --queue nobody-listens"))
    run_id = typed(shlex.split("schedules run waiting")).split("run ")[1].split(";")[0]
    wait_for(
        lambda: CliRunner().invoke(cli, ["runs", "show", run_id]).exit_code == 0,
        20,
        "the run is recorded",
    )
    if f"schedules add {TAKEN_FOR_GRANTED}" not in page.text:
        typed(
            [
                "schedules",
                "add",
                TAKEN_FOR_GRANTED,
                "reports.job_summary",
                "--cron",
                "0 6 * * *",
                "--tag",
                "reports",
            ]
        )
    return run_id


def test_every_command_of_the_documents_does_what_it_is_shown_for(working):
    pages = [page for page in documents() if page.executed()]
    assert len(pages) > 8
    assert sum(len(page.executed()) for page in pages) > 70
    for page in pages:
        run_id = set_up(page)
        for line in page.executed():
            program, _, rest = line.partition(" ")
            assert program == "beatdesk", f"{page.name}: {line}"
            # Nobody takes the run that waits, so that there is no end to follow it to.
            ends = rest.replace(" --follow", "")
            wait_until_recorded(working)
            typed(shlex.split(RUN_ID.sub(run_id, ends), comments=True), page.name)
        wipe(working)


def rules() -> list[tuple[str, str]]:
    """The rules of the page about them: the command of each table, and the options of each row."""
    found: list[tuple[str, str]] = []
    command = ""
    page = next(one for one in documents() if one.name == RULES)
    for line in page.text.splitlines():
        if head := re.match(r"\| options of `(schedules \w+)` \|", line):
            command = head[1]
        elif row := re.match(r"\| `(--[^`]+)` \|", line):
            found.append((command, row[1]))
    return found


def test_every_rule_of_the_documents_is_accepted(working):
    assert len(rules()) > 12
    typed(shlex.split("calendars set holidays --weekly sat-sun"))
    for number, (command, options) in enumerate(rules()):
        named = [f"rule-{number}", "demo.long_task"] if command == "schedules add" else []
        typed([*command.split(), *named, *shlex.split(options)], RULES)


def test_the_example_of_running_on_demand_runs(working, settings):
    page = next(one for one in documents() if one.name == ON_DEMAND)
    for text in page.blocks("python"):
        run = subprocess.run(
            [sys.executable, "-c", text],
            cwd=ROOT,
            env=env_of(settings),
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
