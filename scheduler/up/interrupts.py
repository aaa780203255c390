"""Signals to the supervisor, as a count and as a wait.

A handler that sets a `threading.Event` can interrupt the main thread inside of the event's own
lock, and hang for ever. So handlers only count, and a pipe ends the wait.
"""

import os
import select
import signal
from types import FrameType, TracebackType

STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Number and name of the stop signals since the start. The death of a child ends a wait too."""

    def __init__(self) -> None:
        self.count = 0
        self.name = ""
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)

    def __enter__(self) -> "Interrupts":
        self._before = {number: signal.signal(number, self._stop) for number in STOP}
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, self._wake)
        if signal.getsignal(signal.SIGQUIT) == signal.SIG_IGN:
            # A shell ignores SIGQUIT for processes in the background, and the children would
            # inherit this.
            self._before[signal.SIGQUIT] = signal.signal(signal.SIGQUIT, signal.SIG_DFL)
        self._fd_before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        signal.set_wakeup_fd(self._fd_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._read)
        os.close(self._write)

    def wait(self, seconds: float) -> None:
        """Return after `seconds`, or at the next signal."""
        ready, _, _ = select.select([self._read], [], [], seconds)
        if ready:
            os.read(self._read, 4096)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        self.name = signal.Signals(number).name

    def _wake(self, number: int, frame: FrameType | None) -> None:
        """Do nothing: Python has written to the wake-up pipe already."""
