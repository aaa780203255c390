"""Starts workers, recorders and Beats quickly: imports once, then forks one for each line it reads.

A line is `start LOGFILE WORD...`, with the words of a command of Celery's; `recorder NAME` is
Beatdesk's. The answer is `started PID`. Nothing is connected before the fork. When its input ends,
all are killed, with the processes that they started.
"""

import os
import select
import signal
import sys
from contextlib import suppress

EVERY = 0.02


def main() -> None:
    """Read lines until there are no more."""
    import celery.apps.beat
    import celery.apps.worker
    import celery.concurrency.prefork  # noqa: F401

    import scheduler.beat.scheduler
    import scheduler.cli.recorder
    import scheduler.history.recording.recorder  # noqa: F401
    from scheduler.celery import app

    app.loader.import_default_modules()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    children: set[int] = set()
    _answer("ready")
    while True:
        ready, _, _ = select.select([sys.stdin], [], [], EVERY)
        if ready:
            line = sys.stdin.readline()
            if not line:
                break
            _, log, *words = line.split()
            pid = os.fork()
            if pid == 0:
                _become(app, log, words)
            children.add(pid)
            _answer(f"started {pid}")
        for pid in list(children):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                children.remove(pid)
                _answer(f"ended {pid} {os.waitstatus_to_exitcode(status)}")
    for pid in children:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def _answer(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _become(app: object, log: str, words: list[str]) -> None:
    """The rest of this process's life."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    nothing = os.open(os.devnull, os.O_RDONLY)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(nothing, 0)
    os.dup2(written, 1)
    os.dup2(written, 2)
    code = 1
    try:
        if words[0] == "recorder":
            from scheduler.cli import cli

            cli(["recorder", "--name", words[1]])
        else:
            app.start(words)  # type: ignore[attr-defined] # a Celery app
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
