"""What a command imports: a list of schedules that loads Celery takes a second, and nobody notices
in a test.

Asserted is what stands in `sys.modules` at the end of the process, never a time:
`tests/bench/start_up.py` has those.
"""

import subprocess
import sys
from datetime import timedelta

import pytest

from scheduler.cli import COMMANDS
from scheduler.clock import utc_now
from scheduler.rules.model.edit import Edit
from tests.support.builders import a_spec, cron
from tests.support.processes import ROOT, env_of

HEAVY = frozenset(
    {
        "alembic",
        "celery",
        "duckdb",
        "flask",
        "flask_admin",
        "kombu",
        "PIL",
        "psycopg",
        "redbeat",
        "reportlab",
        "sqlalchemy",
        "werkzeug",
        "xlsxwriter",
    }
)
"""Packages that no command below may import. psycopg is a driver: where the history is in
PostgreSQL it is.
"""

PROGRAM = """
import atexit, sys
from pathlib import Path
report = Path(sys.argv.pop(1))
atexit.register(lambda: report.write_text(" ".join(sys.modules)))
from scheduler.__main__ import main
main()
"""
"""`beatdesk`, which leaves the names of its modules in the file that its first word names."""


@pytest.fixture
def loaded(beatdesk, settings, tmp_path):
    """Runs a command in a process of its own; the names of the modules that it had imported when
    it ended.
    """
    report = tmp_path / "modules"

    def run(*words: str, code: int = 0) -> set[str]:
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM, report, *words],
            check=False,
            env=env_of(settings),
            cwd=ROOT,
            text=True,
            capture_output=True,
            timeout=60,
        )
        assert ended.returncode == code, ended.stdout + ended.stderr
        return set(report.read_text().split())

    return run


def packages(modules: set[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


def modules_of_commands(modules: set[str]) -> set[str]:
    return modules & {row.target.partition(":")[0] for row in COMMANDS}


def test_the_help_imports_no_command_and_nothing_large(loaded):
    modules = loaded("--help")
    assert modules_of_commands(modules) == set()
    assert packages(modules) & (HEAVY | {"pydantic", "redis", "sqlite3", "dotenv"}) == set()


def test_the_version_and_a_wrong_command_import_no_command(loaded):
    for words, code in ((("--version",), 0), (("shedules",), 2)):
        modules = loaded(*words, code=code)
        assert modules_of_commands(modules) == set()
        assert packages(modules) & (HEAVY | {"pydantic", "redis"}) == set()


def test_the_help_of_schedules_imports_none_of_its_commands(loaded):
    modules = loaded("schedules", "--help")
    assert {name for name in modules if name.startswith("scheduler.cli.schedules.")} == set()
    assert packages(modules) & (HEAVY | {"redis"}) == set()


@pytest.mark.parametrize("shape", [(), ("--json",)])
def test_a_list_of_schedules_imports_neither_celery_nor_sqlalchemy(loaded, beatdesk, shape):
    beatdesk.done("schedules", "add", "hourly", "demo.plain", "--every", "3600")
    beatdesk.done(
        "schedules", "add", "early", "demo.plain", "--cron", "*/30 6-18 * jan-nov mon-fri"
    )
    modules = loaded("schedules", "list", *shape)
    assert modules_of_commands(modules) == {"scheduler.cli.schedules"}
    assert packages(modules) & HEAVY == set()
    assert "scheduler.cli.schedules.changes" not in modules


def test_nor_where_it_looks_why_nothing_fires(loaded, beatdesk, services):
    earlier = utc_now() - timedelta(days=2)
    services.schedules.create(
        a_spec("waits", "demo.plain", when=cron("0 6 * * *")), edit=Edit(actor="ada", now=earlier)
    )
    assert "what is overdue waits for one" in beatdesk("schedules", "list").stderr
    assert packages(loaded("schedules", "list")) & HEAVY == set()


def test_one_schedule_and_the_jobs_are_shown_without_them(loaded, beatdesk):
    beatdesk.done("schedules", "add", "n", "demo.plain", "--every", "3600")
    for words in (("schedules", "show", "n"), ("schedules", "next", "n"), ("jobs", "list")):
        assert packages(loaded(*words)) & HEAVY == set(), words
