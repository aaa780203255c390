"""Every command that README shows is typed here as it stands there, beside a worker, Beat and the
recorder.
"""

import re
import shlex

import pytest
from click.testing import CliRunner

from scheduler.cli import cli
from tests.support.processes import ROOT, env_of, start_beat, start_recorder, start_worker
from tests.support.waiting import wait_for

RUN_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


def examples() -> list[str]:
    """The lines after `$ beatdesk` in README's console blocks, in order."""
    blocks = re.findall(
        r"^```console\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S
    )
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line.removeprefix("$ beatdesk ") for line in lines if line.startswith("$ beatdesk ")]


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


def typed(words: list[str]) -> str:
    """What a command prints that is done."""
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0, (
        f"beatdesk {shlex.join(words)}: {result.exit_code}\n{result.output}"
    )
    return result.stdout


def test_every_example_of_the_readme_does_what_it_is_shown_for(working):
    typed(shlex.split("schedules add waiting demo.long_task --every 3600 --queue nobody-listens"))
    run_id = typed(shlex.split("schedules run waiting")).split("run ")[1].split(";")[0]
    wait_for(
        lambda: CliRunner().invoke(cli, ["runs", "show", run_id]).exit_code == 0,
        20,
        "the run is recorded",
    )
    lines = examples()
    assert len(lines) > 20
    for line in lines:
        told = line.replace(
            " --follow", ""
        )  # nobody takes this run, so that there is no end to follow it to
        typed(shlex.split(RUN_ID.sub(run_id, told), comments=True))
