"""Processes of tests: a fixed environment, the log in a file, ended by process id when the test
ends.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from scheduler.settings.schema import Settings
from tests.support.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]

USUAL_UMASK = 0o022
"""The umask of a shell, whatever the tests' own."""

_living: list["Process"] = []
_numbers = iter(range(1, 1_000_000))


def env_of(settings: Settings) -> dict[str, str]:
    """The environment in which a process reads exactly these settings, whatever the tests' own
    environment.
    """
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("BEATDESK_")
    }
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if value is None:
            continue
        text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        environment[f"BEATDESK_{name.upper()}"] = text
    environment["PATH"] = os.pathsep.join(
        [str(Path(sys.executable).parent), environment.get("PATH", "")]
    )
    environment["PYTHONPATH"] = str(ROOT)
    environment["PYTHONUNBUFFERED"] = "1"
    return environment


class Process:
    """A started process. With `keep`, the starter ends it instead of the end of the test."""

    def __init__(
        self,
        *command: str,
        env: Mapping[str, str],
        name: str | None = None,
        cwd: Path = ROOT,
        keep: bool = False,
    ) -> None:
        self.name = name or " ".join(Path(part).name for part in command[:4])
        handle, path = tempfile.mkstemp(prefix="beatdesk-test-", suffix=".log")
        self.log_path = Path(path)
        with os.fdopen(handle, "wb") as log:
            self.popen = subprocess.Popen(
                command,
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=USUAL_UMASK,
            )
        self.keep = keep
        self._read_until = 0
        _living.append(self)

    @property
    def pid(self) -> int:
        """The process id."""
        return self.popen.pid

    @property
    def log(self) -> str:
        """The output of the process and its children."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    @property
    def news(self) -> str:
        """The output since `read_up`."""
        return self.log[self._read_until :]

    def read_up(self) -> None:
        """Mark the output so far as read."""
        self._read_until = len(self.log)

    def running(self) -> bool:
        """Whether the process is alive."""
        return self.popen.poll() is None

    def wait_for_log(self, text: str, timeout: float = 30) -> None:
        """Return when `text` is in the log; fail with the log when the process ends or time is
        over.
        """

        def is_in_log() -> bool:
            if text in self.log:
                return True
            if not self.running():
                raise RuntimeError(
                    f"{self.name} ended with {self.popen.returncode} before {text!r}:\n{self.log}"
                )
            return False

        try:
            wait_for(is_in_log, timeout, f"{text!r} in the log of {self.name}")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log[-4000:]}") from None

    def terminate(self) -> None:
        """Send SIGTERM, do not wait."""
        if self.running():
            self.popen.terminate()

    def wait(self, timeout: float = 30) -> int:
        """Wait for the end and return the exit code."""
        return self.popen.wait(timeout)

    def stop(self, timeout: float = 20) -> int:
        """Send SIGTERM and wait; then kill the rest of the process group. Returns the exit code."""
        self.terminate()
        try:
            code = self.wait(timeout)
        except subprocess.TimeoutExpired:
            code = -signal.SIGKILL
        self._kill_group()
        return code

    def kill(self) -> None:
        """SIGKILL to the process and its children, like a power cut."""
        self._kill_group()
        self.wait(10)

    def kill_alone(self) -> None:
        """SIGKILL to the process; its children live on."""
        self.popen.kill()
        self.wait(10)

    def forget(self) -> None:
        """Stop the process, and remove its log."""
        self.stop()
        if self in _living:
            _living.remove(self)
        self.log_path.unlink(missing_ok=True)

    def __enter__(self) -> "Process":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.stop()

    def _kill_group(self) -> None:
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.popen.wait(10)


def living() -> list[Process]:
    """Every process with a log, for the report of a failure."""
    return list(_living)


def end_all() -> None:
    """End the processes of the test: all get SIGTERM first, so that they end side by side."""
    processes = [process for process in _living if not process.keep]
    for process in processes:
        process.terminate()
    for process in processes:
        process.forget()


def start_worker(
    settings: Settings,
    *,
    concurrency: int = 1,
    queues: str | None = None,
    options: Sequence[str] = (),
    wait: bool = True,
    keep: bool = False,
    app: str = "scheduler",
) -> Process:
    """`celery -A scheduler worker` under a name of its own; returned when ready for jobs."""
    command = ["celery", "-A", app, "worker", "-l", "INFO", "-c", str(concurrency)]
    command += [
        "-n",
        f"test{next(_numbers)}-{os.getpid()}@%h",
        *(["-Q", queues] if queues else []),
        *options,
    ]
    worker = Process(*command, env=env_of(settings), name="worker", keep=keep)
    if wait:
        worker.wait_for_log(" ready.", timeout=60)
    return worker


def start_beat(
    settings: Settings,
    *,
    scheduler: str = "redbeat.RedBeatScheduler",
    options: Sequence[str] = (),
    wait: bool = True,
) -> Process:
    """`celery -A scheduler beat -S redbeat.RedBeatScheduler`; returned when Beat holds the lock."""
    command = ["celery", "-A", "scheduler", "beat", "-S", scheduler, "-l", "INFO", *options]
    beat = Process(*command, env=env_of(settings), name="beat")
    if wait:
        beat.wait_for_log("beat: Acquired lock", timeout=60)
    return beat


def start_recorder(settings: Settings) -> Process:
    """`beatdesk recorder`; returned at once."""
    return Process("beatdesk", "recorder", env=env_of(settings), name="recorder")
