"""One pass of every loop that reads Redis, as functions that may be called in any order."""

import threading
from collections.abc import Callable

from scheduler.beat import Scheduler
from scheduler.catalogue.records import Worker
from scheduler.clock import utc_now
from scheduler.errors import Unavailable
from scheduler.health.status import status
from scheduler.history.recording.recorder import Recorder
from scheduler.ledger.failing_trees import FailingTrees
from scheduler.reconciling.audit import Behind
from scheduler.services import watches
from scheduler.services.services import Services
from tests.support.storage.planted import RUN, UID

Pass = Callable[[], object]


def passes(services: Services, beat: Scheduler) -> dict[str, Pass]:
    """Return the passes by name. A pass raises what its loop does not await."""
    recorder = Recorder(services.events, services.engine, services.redis, 1000, "loops")
    healer = services.healer()
    ledger = watches.ledger_watcher(services)
    surroundings = watches.surroundings_watch(services)
    audit = watches.message_audit(services)
    audit.patience = 0
    failing = FailingTrees(services.history, services.schedules, services.operations)
    stop = threading.Event()
    return {
        "beat": beat.tick,
        "beat again": beat.tick,
        "recorder": lambda: recorder.run_once(utc_now()),
        "recorder's heartbeat": lambda: recorder.heartbeat.beat(utc_now()),
        "healer": lambda: healer.run_once(utc_now()),
        "surroundings": lambda: surroundings.look(utc_now()),
        "ledger": lambda: ledger.run_once(utc_now(), stop),
        "failing trees": lambda: failing.look(utc_now()),
        "recorder again": lambda: recorder.run_once(utc_now()),
        "audit": lambda: audit.look(utc_now()),
        "worker": lambda: _look_as_a_worker(services),
        "leases": lambda: services.leases.lose(services.leases.overdue(), utc_now()),
        "status": lambda: status(services, utc_now()),
    }


def faults_of(loops: dict[str, Pass], awaited: tuple[type[Exception], ...] = ()) -> dict[str, str]:
    """Run each pass once. Returns the errors that end or blind its loop, by the pass.

    Loops await Unavailable and Behind; `awaited` are further ones.
    """
    found: dict[str, str] = {}
    for name, run in loops.items():
        try:
            run()
        except (Behind, *awaited):
            continue
        except Unavailable as error:
            if not awaited:
                found[name] = str(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a fault
            found[name] = f"{type(error).__name__}: {error}"
    return found


def _look_as_a_worker(services: Services) -> None:
    """Read what a worker reads with each heartbeat, and for a run."""
    now = utc_now()
    worker = Worker(name="w1@host", pid=1, host="host", at=now, jobs=["mail.digest"])
    services.catalogue.heartbeat(worker)
    services.catalogue.jobs(now)
    services.cancellations.since(now)
    services.cancellations.runs()
    services.cancellations.actors([RUN])
    services.leases.get(RUN)
    services.leases.runs_of(UID)
    services.waiting.of(UID)
    services.catalogue.refilled_at()
    services.notices.recent(now)
    services.unread_queues.current(now)
