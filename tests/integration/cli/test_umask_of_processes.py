"""Each root of a process gives its new files to nobody else; a program that sends runs decides
itself.
"""

import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from scheduler.settings.schema import Settings
from tests.support.ports import free_port
from tests.support.processes import Process, env_of
from tests.support.waiting import wait_for

CELERY = (sys.executable, "-m", "celery", "-A", "scheduler")
GUNICORN = (sys.executable, "-m", "gunicorn", "--no-control-socket")
BEATDESK = (sys.executable, "-m", "scheduler")
ROOTS = {
    "worker": (*CELERY, "worker", "--concurrency", "1"),
    "Beat": (*CELERY, "beat", "-S", "redbeat.RedBeatScheduler"),
    "console": (*GUNICORN, "webadmin:create_app()"),
}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the umask is read from /proc")


def umasks(process: Process) -> set[str]:
    """The umasks of a process and its children."""
    family = [process.pid, *(child.pid for child in psutil.Process(process.pid).children())]
    found = set()
    for pid in family:
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except FileNotFoundError:
            continue  # it has ended between the two looks
        found |= set(re.findall(r"^Umask:\t(\d+)$", status, re.MULTILINE))
    return found


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.usefixtures("services")
def test_every_root_gives_its_files_to_nobody_else(root: str, settings: Settings) -> None:
    bind = ("--bind", f"127.0.0.1:{free_port()}") if root == "console" else ()
    process = Process(*ROOTS[root], *bind, env=env_of(settings), name=root)
    wait_for(lambda: "0077" in umasks(process), 60, f"the umask of {root}: {process.log}")
    assert process.running()


@pytest.mark.usefixtures("services")
def test_a_program_that_imports_the_app_keeps_its_umask(settings: Settings) -> None:
    program = "from scheduler.celery import app; import os; print(oct(os.umask(0)))"
    finished = subprocess.run(
        (sys.executable, "-c", program),
        env=env_of(settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        umask=0o022,
    )
    assert finished.stdout.strip() == "0o22"


@pytest.mark.usefixtures("services")
def test_a_file_that_a_command_writes_is_nobody_elses(settings: Settings, tmp_path: Path) -> None:
    new = settings.model_copy(update={"database_url": f"sqlite:///{tmp_path}/new/h.sqlite3"})
    process = Process(*BEATDESK, "db", "upgrade", env=env_of(new), name="db upgrade")
    assert process.wait(60) == 0, process.log
    found = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "new").rglob("*")}
    assert found["h.sqlite3"] == 0o600
    assert {mode & 0o077 for mode in found.values()} == {0}
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
