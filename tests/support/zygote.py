"""Starts many processes quickly: imports once, then forks a process for each line.

The tests' side is `Zygote`. The zygote's own side is a module whose main program calls
`serve(run)`, after its imports and without any connection. Over the pipe go `start LOGFILE WORD...`
in one direction, `ready`, `started PID` and `ended PID CODE` in the other. When its input ends, the
zygote kills its children, each with its session.
"""

import os
import queue
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread

from tests.support.processes import ROOT

EVERY = 0.02
"""Seconds between two looks for ended children."""


class Zygote:
    """The zygote of a module; `on_end(pid, code)` is called for each child that ends, in a thread
    of the zygote's.
    """

    def __init__(
        self, module: str, env: Mapping[str, str], on_end: Callable[[int, int], None]
    ) -> None:
        self._on_end = on_end
        self._lock = Lock()
        self._started: queue.Queue[int] = queue.Queue()
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            env=dict(env),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        Thread(target=self._listen, daemon=True).start()

    def start(self, log: Path, words: Sequence[str], *, timeout: float = 60) -> int:
        """Start a process with these words, its output in `log`; returns its id."""
        assert self._process.stdin is not None
        with self._lock:
            self._process.stdin.write(f"start {log} {' '.join(words)}\n")
            self._process.stdin.flush()
            return self._started.get(timeout=timeout)

    def kill(self) -> None:
        """SIGKILL to the zygote alone; its children live on."""
        self._process.kill()
        self._process.wait(10)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            word, *numbers = line.split()
            if word == "started":
                self._started.put(int(numbers[0]))
            elif word == "ended":
                self._on_end(int(numbers[0]), int(numbers[1]))


def serve(run: Callable[[list[str]], None]) -> None:
    """Fork a process for each line of the standard input, until there are no more; `run` is the
    rest of the child's life, with the words of its line.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    children: set[int] = set()
    _write("ready")
    while True:
        ready, _, _ = select.select([sys.stdin], [], [], EVERY)
        if ready:
            line = sys.stdin.readline()
            if not line:
                break
            _, log, *words = line.split()
            pid = os.fork()
            if pid == 0:
                _become(run, log, words)
            children.add(pid)
            _write(f"started {pid}")
        for pid in list(children):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                children.remove(pid)
                _write(f"ended {pid} {os.waitstatus_to_exitcode(status)}")
    for pid in children:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def _write(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _become(run: Callable[[list[str]], None], log: str, words: list[str]) -> None:
    """The rest of a child's life, in a session of its own."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    code = 1
    try:
        run(words)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
