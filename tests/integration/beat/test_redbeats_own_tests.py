"""RedBeat's own tests against our class. They are theirs: fetched when this runs, checked against
the lock's hash.
"""

import json
import re
import subprocess
import sys
import tarfile
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.needs import missing
from tests.support.processes import ROOT

CELERYS_HEADER = "test_RedBeatScheduler_tick.test_due_now"
"""Fails with stock too: Celery 5.7 adds a header that RedBeat's test does not expect."""

DEVIATIONS = {
    "test_RedBeatScheduler_schedule.test_schedule_includes_current_and_next": (
        "`schedule`, which our Beat never asks for, reads entries below RedBeat's default prefix "
        "only"
    ),
    "test_RedBeatScheduler_tick.test_due_later_task_never_run": (
        "the turn sleeps by itself, until an edit wakes it, so that it never asks Celery to sleep"
    ),
    "test_RedBeatScheduler_tick.test_due_next_just_ran": "the same",
    "test_RedBeatScheduler_tick.test_empty": "the same",
    "test_RedBeatScheduler_tick.test_lock_acquisition_failed_during_startup": (
        "without a lock stock ends with an AttributeError; ours takes it in its turn"
    ),
    "test_RedBeatScheduler_tick.test_old_static_entries_are_removed": (
        "static entries are written and removed by who leads, not by who starts"
    ),
    "TestRedBeatSchedulerUpdateFromDict.test_update_from_dict": "the same: nothing is saved before it leads",
    "TestRedBeatSchedulerUpdateFromDict.test_update_from_dict_fetch_redis_entry": "the same",
}
"""What differs on purpose, and why. All else must be as with stock."""


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with their tests, from the very archive that our lock names."""
    if find_spec("fakeredis") is None or find_spec("pytz") is None:
        missing("fakeredis or pytz is not installed")
    folder = tmp_path_factory.mktemp("redbeat")
    wanted = folder / "wanted.txt"
    lock = (ROOT / "requirements.lock").read_text()
    found = re.search(r"^celery-redbeat==.*(?:\n    --hash=.*)+", lock, re.MULTILINE)
    assert found is not None
    wanted.write_text(found[0])
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
    ]
    command += ["--no-binary", ":all:", "--require-hashes", "-r", str(wanted), "-d", str(folder)]
    fetched = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    archives = list(folder.glob("*.tar.gz"))
    if fetched.returncode or not archives:
        missing(f"RedBeat's sources cannot be fetched: {fetched.stderr[-500:]}")
    with tarfile.open(archives[0]) as archive:
        members = [
            member
            for member in archive.getmembers()
            if "/tests/" in member.name and member.isfile()
        ]
        for member in members:
            member.name = member.name.partition("/")[2]
        archive.extractall(folder, members, filter="data")
    return folder


def outcomes(folder: Path, which: str) -> dict[str, str]:
    command = [sys.executable, "-m", "tests.support.redbeats_suite", str(folder), which]
    ran = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert ran.returncode == 0, ran.stderr[-4000:]
    words: dict[str, str] = json.loads(ran.stdout)
    return {name.removeprefix("tests.").partition(".")[2]: word for name, word in words.items()}


def test_ours_passes_what_stock_passes_but_for_what_differs_on_purpose(theirs: Path) -> None:
    stock, ours = outcomes(theirs, "stock"), outcomes(theirs, "ours")
    assert Counter(stock.values()) == {"passed": 82, "failed": 1, "skipped": 2}
    assert stock[CELERYS_HEADER] == "failed"
    assert ours == stock | dict.fromkeys(DEVIATIONS, "failed")
