"""What `up` runs: each child's command, when it is ready, how it is stopped. Starts nothing
itself.
"""

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
"""Seconds that running jobs get to finish. After that, or at the second Ctrl-C, they get Celery's
soft shutdown, and their messages go back into the queue."""

SOFT_SHUTDOWN_TAKES = 40.0


def environment(services: Services) -> Mapping[str, str]:
    """What children must know that they cannot find out: where the server and the data are."""
    settings = services.settings
    told = {
        f"{PREFIX}DATA_DIR": str(settings.data_dir.resolve()),
        f"{PREFIX}REDIS_URL": settings.redis_url,
        "PYTHONUNBUFFERED": "1",
    }
    if not _is_installed():
        path = (str(Path(scheduler.__file__).parents[1]), os.environ.get("PYTHONPATH"))
        told["PYTHONPATH"] = os.pathsep.join(filter(None, path))
    return told


def _is_installed() -> bool:
    """Does every Python process find Beatdesk? Not where it runs from a checkout as it is."""
    try:
        version("beatdesk")
    except PackageNotFoundError:
        return False
    return True


def _beatdesk(*words: str) -> list[str]:
    """A command of Beatdesk's, which finds no module of the working folder before ours."""
    return [sys.executable, "-P", "-m", "scheduler", *words]


def valkey(embedded: Embedded) -> Child:
    """The embedded server. At SIGTERM it writes its append-only file out and ends."""
    return Child(
        name="valkey",
        command=embedded.command,
        is_ready=probes.valkey_answers(embedded.url),
        stops=[Stop(signal.SIGTERM, 30)],
    )


def recorder(services: Services, before: Callable[[], None]) -> Child:
    """Writes history. At SIGTERM it records what is in the stream and ends."""
    return Child(
        name="recorder",
        command=_beatdesk("recorder", "--name", f"up@{socket.gethostname()}"),
        is_ready=probes.recorder_beats(services),
        stops=[Stop(signal.SIGTERM, 30)],
        before=before,
        env=environment(services),
    )


def worker(services: Services) -> Child:
    """Runs jobs. SIGTERM: takes no more and finishes what it has. SIGQUIT: gives back what does not
    finish soon.
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
    """Fires schedules. At SIGTERM it gives its lock back, so that the next one need not wait for
    it.
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
    """The console, on a socket that we keep."""
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
