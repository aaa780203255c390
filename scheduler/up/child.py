"""A child of `up`, as description and process. Started and stopped by the supervisor."""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from scheduler.up.console import Console

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
STEADY_AFTER = 60.0
"""Seconds of life after which a death counts as the first in a row again."""


@dataclass(frozen=True)
class Stop:
    """A step in ending a child: a signal, and the seconds for the child to end."""

    signal: signal.Signals
    seconds: float


@dataclass(frozen=True)
class Child:
    """Description of a child.

    `is_ready` takes the process id; `stops` go from the mildest signal to the hardest; `before`
    runs before the first start of the child.
    """

    name: str
    command: Sequence[str]
    is_ready: Callable[[int], bool]
    stops: Sequence[Stop]
    before: Callable[[], None] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    pass_fds: Sequence[int] = ()


def pause(deaths: int) -> float:
    """Seconds before the next start after `deaths` in a row: 0.5, doubling to at most 30."""
    return float(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(deaths - 1, 10)))


def ending(code: int) -> str:
    """The end of a process in words, with the signal's name after a signal."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"exit code {code}, {signal.Signals(-code).name}"
    except ValueError:
        return f"exit code {code}"


class ChildProcess:
    """A child's process, in a separate session: Ctrl-C reaches only the supervisor."""

    def __init__(self, child: Child, console: Console) -> None:
        self.child = child
        self._popen = subprocess.Popen(
            child.command,
            env={**os.environ, **child.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=tuple(child.pass_fds),
        )
        assert self._popen.stdout is not None  # noqa: S101 - a pipe, by the arguments above
        self._output = console.follow(child.name, self._popen.stdout)

    @property
    def pid(self) -> int:
        """The id of the process and of its process group."""
        return self._popen.pid

    def code(self) -> int | None:
        """The exit code, negative for a signal; None while the process lives."""
        return self._popen.poll()

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process; SIGKILL goes to the whole group."""
        if number == signal.SIGKILL:
            self.end_group()
        elif self._popen.poll() is None:
            self._popen.send_signal(number)

    def end_group(self) -> None:
        """Kill the rest of the process group: a worker's children would go on as orphans."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return  # the group is empty (macOS raises PermissionError where only zombies are left)

    def finish_output(self) -> None:
        """Wait up to a second for the last lines of the output."""
        self._output.join(timeout=1)
