"""Starts Beats quickly: imports all that a Beat imports once, then forks one for each line that it
reads.

A line is `start SCHEDULER LOGFILE`; the answer is `started PID`. `ended PID CODE` is said of each
that ends. Nothing is connected before the fork, so that each is what `celery -A scheduler beat -S
SCHEDULER` is, without its second of imports. When its input ends, all are killed.
"""

import os
import select
import signal
import sys
from contextlib import suppress

EVERY = 0.02


def main() -> None:
    """Read lines until there are no more."""
    import celery.apps.beat  # noqa: F401 - what a Beat would import
    import redbeat.schedulers  # noqa: F401

    import scheduler.beat.scheduler  # noqa: F401
    from scheduler.celery import app

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    children: set[int] = set()
    tell("ready")
    while True:
        ready, _, _ = select.select([sys.stdin], [], [], EVERY)
        if ready:
            line = sys.stdin.readline()
            if not line:
                break
            _, scheduler_class, log = line.split()
            pid = os.fork()
            if pid == 0:
                be_beat(app, scheduler_class, log)
            children.add(pid)
            tell(f"started {pid}")
        for pid in list(children):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                children.remove(pid)
                tell(f"ended {pid} {os.waitstatus_to_exitcode(status)}")
    for pid in children:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def tell(text: str) -> None:
    """Say a line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def be_beat(app: object, scheduler_class: str, log: str) -> None:
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
        app.Beat(scheduler_cls=scheduler_class, loglevel="WARNING", no_color=True).run()  # type: ignore[attr-defined]
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
