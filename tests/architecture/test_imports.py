"""Who may import what.

The contracts stand in pyproject.toml; here they are run, and each is seen to catch a violation.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import PACKAGES, ROOT, contracts, lint_imports

VIOLATIONS = [
    ("floors", "scheduler/rules/ticks.py", "import scheduler.schedules.store"),
    ("floors", "scheduler/runs/control.py", "import scheduler.history.queries.views"),
    ("layers", "scheduler/storage/keys.py", "import webadmin.guard"),
    ("not-the-desks", "scheduler/worker/consumer.py", "import scheduler.celery_app.app"),
    ("not-the-desks", "scheduler/runs/control.py", "def late() -> None:\n    import sqlite3"),
    ("no-web-below", "scheduler/health/status.py", "def late() -> None:\n    import flask"),
    ("redbeat", "scheduler/celery_app/app.py", "import redbeat.schedulers"),
    ("sql", "scheduler/celery_app/app.py", "from sqlalchemy import select"),
    ("http-out", "scheduler/jobs/http.py", "import urllib3"),
    ("no-jobs-in-web", "webadmin/present.py", "import scheduler.jobs.job_summary"),
    (
        "live-settings",
        "scheduler/services/services.py",
        "from scheduler.settings.environment import load",
    ),
    (
        "no-cycles",
        "scheduler/rules/ticks.py",
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import scheduler.schedules.store",
    ),
    ("pure", "scheduler/history/recording/projector.py", "import socket"),
    ("pure", "scheduler/rules/check.py", "from scheduler.clock import utc_now"),
    ("pure", "scheduler/rules/ticks.py", "from celery.schedules import crontab"),
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the packages and their contracts, to plant violations in."""
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package,
            tmp_path / package,
            ignore=shutil.ignore_patterns("__pycache__", "static"),
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_import_contract_is_kept() -> None:
    ran = lint_imports(ROOT)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_violation_is_known_for_every_contract() -> None:
    assert {contract for contract, _, _ in VIOLATIONS} == set(contracts())


@pytest.mark.parametrize(("contract", "place", "line"), VIOLATIONS)
def test_a_planted_violation_breaks_its_contract(
    contract: str, place: str, line: str, tree: Path
) -> None:
    before = lint_imports(tree, "--contract", contract)
    assert before.returncode == 0, before.stdout + before.stderr

    with (tree / place).open("a", encoding="utf-8") as module:
        module.write(f"\n\n{line}\n")

    after = lint_imports(tree, "--contract", contract)
    assert after.returncode == 1
    assert f"{contracts()[contract]} BROKEN" in re.sub(r"\s+", " ", after.stdout)


def test_a_planted_clock_or_sleep_is_seen_by_ruff(tree: Path) -> None:
    lines = [
        "import time",
        "from datetime import UTC, datetime",
        "time.sleep(1)",
        "print(time.time(), datetime.now(UTC))",
    ]
    (tree / "scheduler" / "planted.py").write_text("\n".join(lines), encoding="utf-8")
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "ruff",
            "check",
            "--no-cache",
            "--select",
            "TID251",
            "scheduler/planted.py",
        ],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    assert all(
        f"`{banned}` is banned" in ran.stdout
        for banned in ("time.sleep", "time.time", "datetime.datetime.now")
    )


def test_looking_for_the_celery_app_loads_neither_celery_nor_sql() -> None:
    program = (
        "import sys, scheduler; print(sorted({'celery', 'redis', 'sqlalchemy', 'flask'} & "
        "set(sys.modules)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"


def test_the_web_runs_without_any_job_code() -> None:
    program = (
        "import sys, webadmin; print(sorted(name for name in sys.modules if "
        "name.startswith('scheduler.jobs')))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"
