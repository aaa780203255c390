"""The orphan reaper: stop the children after a kill of the supervisor.

`python -m scheduler.up.orphan_reaper` reads the living children from standard input:
`+ PID RANK SECONDS` for a started child, `- PID` for an ended child, `done` from a supervisor
without children left. If the pipe closes without `done`, the supervisor is dead: each child gets
SIGTERM, lowest rank first, and SIGKILL at the end of its seconds. Imports the standard library
only, to start at once and stay small.
"""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from time import monotonic
from typing import TextIO

from scheduler.up.console import Console

_TICK = threading.Event()


class OrphanReaper:
    """The supervisor's side: the reaper's process, and the children reported to it."""

    def __init__(self, lock: int, console: Console) -> None:
        self._lock = lock
        self._console = console
        self._living: dict[int, tuple[int, float]] = {}
        self._start()

    def watch(self, pid: int, rank: int, seconds: float) -> None:
        """Report a started child; lower ranks are stopped first, `seconds` until SIGKILL."""
        self._report(f"+ {pid} {rank} {seconds}")
        self._living[pid] = (rank, seconds)

    def forget(self, pid: int) -> None:
        """Report the end of a child."""
        if self._living.pop(pid, None):
            self._report(f"- {pid}")

    def dismiss(self) -> None:
        """Report the stop of all children, and wait for the reaper's end."""
        self._report("done")
        self._popen.communicate(timeout=10)

    def _start(self) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "scheduler.up.orphan_reaper"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=(self._lock,),
            text=True,
        )

    def ensure(self) -> None:
        """Replace a dead reaper, and report the living children to the new reaper."""
        if self._popen.poll() is None:
            return
        self._console.line("up", "the orphan reaper has died and is replaced")
        self._start()
        for pid, (rank, seconds) in self._living.items():
            self._write(f"+ {pid} {rank} {seconds}")

    def _report(self, line: str) -> None:
        self.ensure()
        self._write(line)

    def _write(self, line: str) -> None:
        assert self._popen.stdin is not None  # noqa: S101 - a pipe, by `_start`
        try:
            self._popen.stdin.write(line + "\n")
            self._popen.stdin.flush()
        except BrokenPipeError:
            # The next round replaces the reaper.
            self._console.line("up", "the orphan reaper does not listen")


def keep_watch(source: TextIO) -> list[tuple[int, int, float]]:
    """The living children at the end of the pipe, as (rank, process id, seconds) in the order of
    their stop; none after `done`.
    """
    living: dict[int, tuple[int, float]] = {}
    for line in source:
        match line.split():
            case ["+", pid, rank, seconds]:
                living[int(pid)] = (int(rank), float(seconds))
            case ["-", pid]:
                living.pop(int(pid), None)
            case ["done"]:
                return []
    return sorted((rank, pid, seconds) for pid, (rank, seconds) in living.items())


def stop(pid: int, seconds: float) -> None:
    """Send SIGTERM to a child, wait up to `seconds`, and kill the rest of its group."""
    _signal(pid, signal.SIGTERM, group=False)
    until = monotonic() + seconds
    while _lives(pid) and monotonic() < until:
        _TICK.wait(0.1)
    _signal(pid, signal.SIGKILL, group=True)


def _signal(pid: int, number: signal.Signals, *, group: bool) -> None:
    try:
        (os.killpg if group else os.kill)(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _lives(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


def main() -> None:
    """Wait for the supervisor's end, and stop its children."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for _, pid, seconds in keep_watch(sys.stdin):
        stop(pid, seconds)


if __name__ == "__main__":
    main()
