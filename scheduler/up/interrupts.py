"""Signals to the supervisor, as a count and as something to wait on.

A handler that sets a `threading.Event` can meet the main thread inside of that event's own lock and
hang for ever, so handlers only count here, and a pipe wakes whoever waits.
"""

import os
import select
import signal
from types import FrameType, TracebackType

STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """How often we were asked to stop. A child's death wakes the wait too."""

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
            # A shell starts so what it puts in the background, and our children would not hear it
            # either.
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
        """Return after `seconds`, or as soon as a signal has come."""
        ready, _, _ = select.select([self._read], [], [], seconds)
        if ready:
            os.read(self._read, 4096)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        self.name = signal.Signals(number).name

    def _wake(self, number: int, frame: FrameType | None) -> None:
        """The wake-up pipe has been written to already."""
