"""One child: what it is, and the process it runs in. When to start and stop it is the supervisor's
business.
"""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from scheduler.up.console import Console

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
STEADY_AFTER = 60.0
"""Seconds after which a child that dies is taken to have run well, so that its pauses begin anew.
"""


@dataclass(frozen=True)
class Stop:
    """How a child is ended: a signal and how long that may take, weaker ones first."""

    signal: signal.Signals
    seconds: float


@dataclass(frozen=True)
class Child:
    """What runs, when it is ready (asked with its process id), and how it is ended."""

    name: str
    command: Sequence[str]
    is_ready: Callable[[int], bool]
    stops: Sequence[Stop]
    before: Callable[[], None] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    pass_fds: Sequence[int] = ()


def pause(deaths: int) -> float:
    """Seconds to wait before a child is started again after that many deaths in a row."""
    return float(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(deaths - 1, 10)))


def ending(code: int) -> str:
    """A process's end in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"exit code {code}, {signal.Signals(-code).name}"
    except ValueError:
        return f"exit code {code}"


class Running:
    """A child's process, in a session of its own, so that Ctrl-C in the terminal reaches the
    supervisor only.
    """

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
        assert self._popen.stdout is not None  # noqa: S101 - asked for above
        self._output = console.follow(child.name, self._popen.stdout)

    @property
    def pid(self) -> int:
        """The process, which is also its group."""
        return self._popen.pid

    def code(self) -> int | None:
        """The exit code, none while it lives."""
        return self._popen.poll()

    def send(self, number: signal.Signals) -> None:
        """Signal the process; SIGKILL goes to its whole group."""
        if number == signal.SIGKILL:
            self.end_group()
        elif self._popen.poll() is None:
            self._popen.send_signal(number)

    def end_group(self) -> None:
        """Kill what is left of the group: a worker's own children would go on as nobody's."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return  # nobody is left (macOS says the second where only dead ones are)

    def finish_output(self) -> None:
        """Let the last lines through."""
        self._output.join(timeout=1)
