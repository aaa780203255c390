"""Root of Beat and of the workers: `celery -A scheduler beat` and `celery -A scheduler worker` find
`app` here.

Reads the settings, builds the app, connects what turns Celery's signals into events. Nothing else
imports this.
"""

import logging
from pathlib import Path
from typing import Any

from celery import signals

from scheduler.errors import Refused
from scheduler.events.schema import prepare
from scheduler.health.broker import refuse_broker
from scheduler.health.doctor import refuse_eviction
from scheduler.services.services import Services
from scheduler.settings import user_modules
from scheduler.settings.environment import load
from scheduler.settings.errors import BadSettings
from scheduler.settings.logging import configure
from scheduler.worker.heartbeat import WorkerHeartbeat
from scheduler.worker.parts import WorkerParts
from scheduler.worker.signals import RunSignals

user_modules.append(Path.cwd())  # Celery has the folder on the path only while it looks for us

try:
    services = Services(load())
except BadSettings as faults:
    raise SystemExit(f"beatdesk: {faults}") from None

prepare()  # once, before the worker forks its children, and before Beat's first tick
app = services.celery
parts: WorkerParts = services
"""What workers ask of this process; the types agree."""

run_signals = RunSignals(app)
run_signals.connect()
WorkerHeartbeat(app, run_signals).connect()


@signals.worker_init.connect(weak=False)
@signals.beat_init.connect(weak=False)
def refuse_servers_that_do_not_do(**_: Any) -> None:
    """Nobody starts on a broker that cannot do it, production on no Redis that evicts. Who is away
    is waited for.
    """
    try:
        refuse_broker(services)
        refuse_eviction(services)
    except Refused as refusal:
        raise SystemExit(f"beatdesk: {refusal}") from None


@signals.beat_init.connect(weak=False)
def read_our_entries(sender: Any = None, **_: Any) -> None:
    """Beat reads our entries, whatever scheduler class it was started with."""
    from scheduler.beat.stock.entry import install

    install(sender.scheduler)


@signals.setup_logging.connect(weak=False)
def log_as_set(loglevel: int | None = None, **_: Any) -> None:
    """Log as the settings say; `celery -l` may ask for more, never for less."""
    level = min(
        logging.getLevelNamesMapping()[services.settings.log_level], loglevel or logging.CRITICAL
    )
    configure(logging.getLevelName(level), services.settings.log_format)
