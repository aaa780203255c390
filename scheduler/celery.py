"""Root of Beat and of the workers: `celery -A scheduler beat` and `celery -A scheduler worker` find
`app` here.

Reads the settings, builds the app, and connects the receivers of Celery's signals. Never imported
by another module.
"""

import logging
from pathlib import Path
from typing import Any

from celery import signals

from scheduler.errors import Refused
from scheduler.events.schema import prepare
from scheduler.health.broker import refuse_broker
from scheduler.health.doctor import refuse_eviction
from scheduler.process_logs import configure
from scheduler.services.services import Services
from scheduler.settings import private_files, user_modules
from scheduler.settings.environment import load
from scheduler.settings.errors import BadSettings
from scheduler.worker.heartbeat import WorkerHeartbeat
from scheduler.worker.parts import WorkerParts
from scheduler.worker.process import process_signals
from scheduler.worker.signals import RunSignals

user_modules.append(Path.cwd())  # Celery removes the folder from the path after it found this app

try:
    services = Services(load())
except BadSettings as faults:
    raise SystemExit(f"beatdesk: {faults}") from None

prepare()  # once, before the worker forks its children, and before Beat's first tick
app = services.celery
parts: WorkerParts = services
"""The parts used by workers; mypy checks here that `Services` has each."""

run_signals = RunSignals(app)
run_signals.connect()
WorkerHeartbeat(app, run_signals).connect()
process_signals.connect()


@signals.celeryd_init.connect(weak=False)
@signals.beat_init.connect(weak=False)
def keep_files_private(**_: Any) -> None:
    """Give new files to this user alone; not in programs that import `app` to send runs."""
    private_files.set_umask()


@signals.worker_init.connect(weak=False)
@signals.beat_init.connect(weak=False)
def refuse_servers_that_do_not_do(**_: Any) -> None:
    """Refuse to start on an unsuitable broker, and in production on a Redis that evicts keys.

    Waits for a server without an answer.
    """
    try:
        refuse_broker(services)
        refuse_eviction(services)
    except Refused as refusal:
        raise SystemExit(f"beatdesk: {refusal}") from None


@signals.beat_init.connect(weak=False)
def read_our_entries(sender: Any = None, **_: Any) -> None:
    """Let every scheduler class of Beat, RedBeat's own too, read our entries."""
    from scheduler.beat.stock.entry import install

    install(sender.scheduler)


@signals.setup_logging.connect(weak=False)
def log_as_set(loglevel: int | None = None, **_: Any) -> None:
    """Configure logging by the settings; `celery -l` may lower the level, never raise it."""
    level = min(
        logging.getLevelNamesMapping()[services.settings.log_level], loglevel or logging.CRITICAL
    )
    configure(logging.getLevelName(level), services.settings.log_format)
