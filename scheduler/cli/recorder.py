"""`beatdesk recorder`: write events into the history until SIGTERM or Ctrl-C."""

import os
import socket
import sys
import threading
from collections.abc import Callable
from functools import partial

import click

from scheduler.health.doctor import refuse_eviction
from scheduler.process_logs import configure
from scheduler.services.services import Services
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
    from scheduler.history.recording.recorder import Recorder

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
    watches = [
        threading.Thread(target=run, args=(stop,), name=watch, daemon=True)
        for watch, run in _watches(services, name).items()
    ]
    with Interrupts() as interrupts:
        for started in (thread, *watches):
            started.start()
        while thread.is_alive() and not interrupts.count:
            interrupts.wait(1)
        died = not interrupts.count
        stop.set()
        thread.join()
    sys.exit(1 if died else 0)


def _watches(services: Services, name: str) -> dict[str, Callable[[threading.Event], None]]:
    """The recorder's watches, by name: each runs in a thread of its own until the event is set.

    One that dies does not end the recorder: events are recorded in any case.
    """
    from scheduler.healing import startup_check
    from scheduler.history.recording.rollup import Rollup
    from scheduler.runs.lease_watch import LeaseWatch
    from scheduler.services import watches

    healer: Callable[[threading.Event], None] = partial(startup_check.answer_unseen, services.redis)
    if services.settings.healing:
        healer = watches.healer_loop(services, name).run
    return {
        "leases": LeaseWatch(services.leases).run,
        "healer": healer,
        "message-audit": watches.audit_loop(services, name).run,
        "ledger": watches.ledger_loop(services, name).run,
        "rollup": Rollup(services.engine).run,
        "keeper": watches.keeper(services).run,
    }
