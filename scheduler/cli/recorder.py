"""`beatdesk recorder`: write events into the history until SIGTERM or Ctrl-C."""

import os
import socket
import sys
import threading
from functools import partial

import click

from scheduler.health.doctor import refuse_eviction
from scheduler.services.services import Services
from scheduler.settings.logging import configure
from scheduler.up.interrupts import Interrupts


@click.command()
@click.option(
    "--name",
    help="Name in the consumer group; one that comes back goes on at once.  [default: HOST-PID]",
)
@click.pass_obj
def recorder(services: Services, name: str | None) -> None:
    """Record events in SQL, find lost runs, and watch that each tick has a row. Any number may run;
    each records its events before it stops.
    """
    from scheduler.healing import startup_check
    from scheduler.history.recording.recorder import Recorder
    from scheduler.history.recording.rollup import Rollup
    from scheduler.runs.lease_watch import LeaseWatch

    settings = services.settings
    configure(settings.log_level, settings.log_format)
    refuse_eviction(services)
    name = name or f"{socket.gethostname()}-{os.getpid()}"
    recording = Recorder(
        services.events, services.engine, services.redis, settings.recorder_batch, name
    )
    stop = threading.Event()
    # In a separate thread: a signal handler must not set an Event for which the handler's own
    # thread may be waiting.
    thread = threading.Thread(target=recording.run, args=(stop,), name="recorder")
    watch = threading.Thread(
        target=LeaseWatch(services.leases).run, args=(stop,), name="leases", daemon=True
    )
    heal = (
        services.healer_loop(name).run
        if settings.healing
        else partial(startup_check.answer_unseen, services.redis)
    )
    rollup = threading.Thread(
        target=Rollup(services.engine).run, args=(stop,), name="rollup", daemon=True
    )
    keeper = threading.Thread(
        target=services.keeper().run, args=(stop,), name="keeper", daemon=True
    )
    healer = threading.Thread(target=heal, args=(stop,), name="healer", daemon=True)
    audit = threading.Thread(
        target=services.audit_loop(name).run, args=(stop,), name="message-audit", daemon=True
    )
    ledger = threading.Thread(
        target=services.ledger_loop(name).run, args=(stop,), name="ledger", daemon=True
    )
    with Interrupts() as interrupts:
        thread.start()
        audit.start()
        healer.start()
        watch.start()
        ledger.start()
        rollup.start()
        keeper.start()
        while thread.is_alive() and not interrupts.count:
            interrupts.wait(1)
        died = not interrupts.count
        stop.set()
        thread.join()
    sys.exit(1 if died else 0)
