"""A folder with modules of the user's own: theirs are found by their jobs, ours by us."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.processes import ROOT, Process
from tests.support.up.house import House
from tests.support.waiting import wait_for

BEATDESK = str(Path(sys.executable).with_name("beatdesk"))
CELERY = str(Path(sys.executable).with_name("celery"))
"""Not `python -m celery`, which puts the working folder first on the path by itself."""

JOBS = """
from celery import shared_task

from config import WHERE


@shared_task
def restock(shelves: int = 10) -> str:
    return f"{shelves} shelves in {WHERE}"


@shared_task
def colour() -> str:
    from flask import current_app

    return current_app.config["COLOUR"]
"""
FACTORY = """
from flask import Flask


def create_app() -> Flask:
    app = Flask(__name__)
    app.config["COLOUR"] = "green"
    return app
"""
BROKEN = 'raise RuntimeError("a module of the user was imported in place of Beatdesk\'s")\n'

MODULE = {"config.py": 'WHERE = "a module"\n'}
PACKAGE = {"config/__init__.py": 'WHERE = "a package"\n', "config/logging.py": BROKEN}
OTHERS = dict.fromkeys(("app.py", "tasks.py", "settings.py", "models.py"), BROKEN)


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


class UsersHouse(House):
    """A folder of a user's, in which Beatdesk is started by its own command."""

    def __init__(self, folder: Path, files: dict[str, str], **more: str) -> None:
        write(folder, {"shop.py": JOBS, "factory.py": FACTORY, **OTHERS, **files})
        super().__init__(
            folder,
            BEATDESK_WEB_PORT=str(free_port()),
            BEATDESK_WORKER_CONCURRENCY="1",
            BEATDESK_JOBS="shop",
            BEATDESK_FLASK_APP="factory:create_app",
            **more,
        )

    def launch(self) -> Process:
        """Start `up`."""
        process = Process(BEATDESK, "up", env=self.env, name="up", cwd=self.folder, keep=True)
        self.processes.append(process)
        return process

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Another command in the same folder."""
        return subprocess.run(
            [BEATDESK, *words],
            env=self.env,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def result(self, job: str, queue: str = "default") -> object:
        """What a run of a job returns."""
        name = f"{job}-{queue}"
        added = self.command(
            *("schedules", "add", name, f"shop.{job}", "--every", "86400", "--queue", queue)
        )
        assert added.returncode == 0, added.stderr
        ran = self.command("schedules", "run", name, "--wait", "--timeout", "60", "--json")
        assert ran.returncode == 0, ran.stdout + ran.stderr + self.up.log
        run = self.run(json.loads(ran.stdout)["id"])
        assert run is not None
        return run["result"]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[UsersHouse]:
    """A folder with a `config` of the user's, and modules that nobody of us may import."""
    house = UsersHouse(tmp_path, MODULE)
    try:
        yield house
    finally:
        house.end()


def test_everything_starts_and_jobs_get_the_users_own_config(house: UsersHouse) -> None:
    house.start()
    assert house.result("restock") == "10 shelves in a module"
    assert house.result("colour") == "green"
    assert house.page("/login")[0] == 200
    celery = (CELERY, "-A", "scheduler")
    for name, command in {
        "byname": (*celery, "worker", "-n", "byname@%h", "-Q", "byname", "-P", "solo"),
        "ours": (BEATDESK, "worker", "-n", "ours@%h", "-Q", "ours", "-c", "1"),
    }.items():
        with Process(*command, env=house.env, name=name, cwd=house.folder) as worker:
            worker.wait_for_log("ready", timeout=60)
            assert house.result("colour", queue=name) == "green"
    for name, command in {
        "by name": (*celery, "beat"),
        "ours": (BEATDESK, "beat"),
        "stock": (*celery, "beat", "-S", "redbeat.RedBeatScheduler"),
    }.items():
        with Process(*command, env=house.env, name=name, cwd=house.folder) as beat:
            beat.wait_for_log("beat: Starting", timeout=60)
    gunicorn = (sys.executable, "-m", "gunicorn", "webadmin:create_app()", "--no-control-socket")
    port = free_port()
    for command in (
        (*gunicorn, "--bind", f"127.0.0.1:{port}"),
        (BEATDESK, "web", "--bind", f"127.0.0.1:{port}"),
    ):
        with Process(*command, env=house.env, cwd=house.folder) as web:
            wait_for(lambda: answers(port), 60, f"the console: {web.log}")
    assert "in place of Beatdesk's" not in house.up.log


def answers(port: int) -> bool:
    """Does the console answer?"""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@pytest.mark.parametrize("theirs", ["scheduler.py", "scheduler/__init__.py"])
def test_beside_a_scheduler_of_the_users_own_ours_works_and_names_it(
    theirs: str, tmp_path: Path
) -> None:
    house = UsersHouse(tmp_path, {**MODULE, theirs: BROKEN, "webadmin/__init__.py": BROKEN})
    try:
        house.start()
        assert house.result("restock") == "10 shelves in a module"
        assert house.page("/login")[0] == 200
        path = tmp_path / theirs.removesuffix("/__init__.py")
        first = next(line for line in house.up.log.splitlines() if str(tmp_path) in line)
        assert f"{path} has the name of Beatdesk's package scheduler" in first
        assert "`beatdesk worker`" in first
        examined = house.command("doctor", "--json")
        found = {each["name"]: each for each in json.loads(examined.stdout)["checks"]}
        assert not found["own modules"]["ok"]
        assert str(path) in found["own modules"]["summary"]
        assert str(tmp_path / "webadmin") in found["own modules"]["remedy"]
        with Process(BEATDESK, "worker", env=house.env, cwd=house.folder) as worker:
            worker.wait_for_log("ready", timeout=60)
            assert worker.log.splitlines()[0].startswith(f"beatdesk: {path} has the name")
    finally:
        house.end()


def test_a_wheel_that_is_installed_elsewhere_works_beside_a_users_config(tmp_path: Path) -> None:
    wheels, place, folder = tmp_path / "wheels", tmp_path / "place", tmp_path / "folder"
    folder.mkdir()
    source = tmp_path / "source"
    listed = subprocess.run(
        ["git", "ls-files", "-coz", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.split("\0")[:-1]:
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(wheels), str(source)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = wheels.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", str(place), str(wheel)], check=True)
    house = UsersHouse(folder, PACKAGE)
    house.env["PYTHONPATH"] = os.fspath(place)
    try:
        house.start()
        assert house.result("restock") == "10 shelves in a package"
        assert house.page("/login")[0] == 200
    finally:
        house.end()
