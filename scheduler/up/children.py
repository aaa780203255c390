"""The children of `up`: command, readiness and stop of each. Starts none of them."""

import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import scheduler
from scheduler.services.services import Services
from scheduler.settings.errors import PREFIX
from scheduler.up import probes
from scheduler.up.child import Child, Stop
from scheduler.up.embedded import Embedded

STOP_ORDER = ("beat", "web", "worker", "recorder", "valkey")

JOBS_MAY_TAKE = 120.0
"""Seconds for running jobs to finish. Afterwards, or at the second Ctrl-C, follows Celery's soft
shutdown: messages of unfinished jobs go back into the queue.
"""

SOFT_SHUTDOWN_TAKES = 40.0


def environment(services: Services) -> Mapping[str, str]:
    """Environment variables of the children: the data folder and the address of the server."""
    settings = services.settings
    variables = {
        f"{PREFIX}DATA_DIR": str(settings.data_dir.resolve()),
        f"{PREFIX}REDIS_URL": settings.redis_url,
        "PYTHONUNBUFFERED": "1",
    }
    if not _is_installed():
        path = (str(Path(scheduler.__file__).parents[1]), os.environ.get("PYTHONPATH"))
        variables["PYTHONPATH"] = os.pathsep.join(filter(None, path))
    return variables


def _is_installed() -> bool:
    """Whether every Python process finds Beatdesk; not from a checkout without installation."""
    try:
        version("beatdesk")
    except PackageNotFoundError:
        return False
    return True


def _beatdesk(*words: str) -> list[str]:
    """A `beatdesk` command in which Beatdesk's modules go before modules of the working folder."""
    return [sys.executable, "-P", "-m", "scheduler", *words]


def valkey(embedded: Embedded) -> Child:
    """The embedded server. SIGTERM: write the append-only file and end."""
    return Child(
        name="valkey",
        command=embedded.command,
        is_ready=probes.valkey_answers(embedded.url),
        stops=[Stop(signal.SIGTERM, 30)],
    )


def recorder(services: Services, before: Callable[[], None]) -> Child:
    """The recorder. SIGTERM: record the rest of the stream and end.

    `before` runs once Redis is ready, before the recorder starts.
    """
    return Child(
        name="recorder",
        command=_beatdesk("recorder", "--name", f"up@{socket.gethostname()}"),
        is_ready=probes.recorder_beats(services),
        stops=[Stop(signal.SIGTERM, 30)],
        before=before,
        env=environment(services),
    )


def worker(services: Services) -> Child:
    """The worker. SIGTERM: take no further message and finish the running jobs. SIGQUIT: give back
    the messages of long jobs.
    """
    concurrency = str(services.settings.worker_concurrency)
    return Child(
        name="worker",
        command=_beatdesk(
            "worker", "--quiet", "--concurrency", concurrency, "--hostname", "beatdesk@%h"
        ),
        is_ready=probes.worker_beats(services),
        stops=[Stop(signal.SIGTERM, JOBS_MAY_TAKE), Stop(signal.SIGQUIT, SOFT_SHUTDOWN_TAKES)],
        env=environment(services),
    )


def beat(services: Services, before: Callable[[], None]) -> Child:
    """Beat. SIGTERM: release the lock, for the next Beat to lead at once.

    `before` runs once the worker is ready, before Beat starts.
    """
    return Child(
        name="beat",
        command=_beatdesk("beat", "--quiet", "-S", services.settings.beat_scheduler),
        is_ready=probes.BeatLeads(services),
        stops=[Stop(signal.SIGTERM, 10)],
        before=before,
        env=environment(services),
    )


def web(services: Services, listening: socket.socket) -> Child:
    """The console, on a socket that stays open during a restart of the console."""
    host, port = listening.getsockname()[:2]
    probe_host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return Child(
        name="web",
        command=_beatdesk("web", "--fd", str(listening.fileno())),
        is_ready=probes.page_answers(probe_host, port),
        stops=[Stop(signal.SIGTERM, 12)],
        env=environment(services),
        pass_fds=[listening.fileno()],
    )
