"""A `beatdesk up` in a folder of its own, as a stranger starts it."""

import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from scheduler.services.services import Services
from scheduler.settings.environment import load
from scheduler.settings.errors import PREFIX
from scheduler.settings.schema import Settings
from tests.support.processes import ROOT, Process
from tests.support.waiting import wait_for

READY = re.compile(r"(\w+) is ready \(process (\d+)\)")


class House:
    """One folder, and its processes."""

    def __init__(self, folder: Path, **more: str) -> None:
        self.folder = folder
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(PREFIX)
        }
        self.env = {**inherited, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **more}
        self.processes: list[Process] = []

    @property
    def up(self) -> Process:
        """The newest `up`."""
        return self.processes[-1]

    def start(self) -> Process:
        """Start `up` and wait until it says where the console is."""
        process = self.launch()
        process.wait_for_log("Beatdesk is running", timeout=90)
        return process

    def launch(self) -> Process:
        """Start `up`."""
        command = [sys.executable, "-m", "scheduler", "up"]
        process = Process(*command, env=self.env, name="up", cwd=self.folder, keep=True)
        self.processes.append(process)
        return process

    def stop(self, timeout: float = 60) -> int:
        """Ask it to stop and wait until all of it has."""
        self.up.terminate()
        return self.up.wait(timeout)

    def end(self) -> None:
        """Leave nothing behind."""
        for process in self.processes:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
            process.forget()

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Another command in the same folder, with no setting."""
        command = [sys.executable, "-m", "scheduler", *words]
        return subprocess.run(
            command,
            env=self.env,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def settings(self) -> Settings:
        """What another process in this folder is set to."""
        return load(
            {name: value for name, value in self.env.items() if name.startswith(PREFIX)},
            self.folder,
        )

    def services(self) -> Services:
        """The parts, for looking into the same server and database."""
        return Services(self.settings())

    @property
    def web(self) -> str:
        """The console's address, as it was printed."""
        found = re.search(r"Beatdesk is running: (\S+)", self.up.log)
        assert found, self.up.log
        return found[1]

    def page(self, path: str) -> tuple[int, str]:
        """A page of the console."""
        with urllib.request.urlopen(self.web + path, timeout=10) as answer:  # noqa: S310 - loopback
            return answer.status, answer.read().decode()

    def pids(self, name: str) -> list[int]:
        """The processes that the child of this name has had, oldest first."""
        return [int(pid) for child, pid in READY.findall(self.up.log) if child == name]

    def wait_for_successor(self, name: str, dead: int) -> int:
        """The process of the child that took a dead one's place."""
        return wait_for(
            lambda: next((pid for pid in reversed(self.pids(name)) if pid != dead), 0),
            60,
            f"a new {name}",
        )

    def run(self, run: str) -> dict[str, Any] | None:
        """A run as the history has it, none where it has none."""
        shown = self.command("runs", "show", run, "--json")
        import json

        return json.loads(shown.stdout) if shown.returncode == 0 else None
