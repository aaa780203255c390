"""What a recorder does beside recording: each watch made from the services of its process.

A watch trusts no earlier look. The loops take turns with those of other recorders.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scheduler.healing.loop import HealerLoop
    from scheduler.history.keeper import Keeper
    from scheduler.ledger.loop import LedgerLoop
    from scheduler.ledger.surroundings import SurroundingsWatch
    from scheduler.ledger.watcher import Watcher
    from scheduler.reconciling.audit import MessageAudit
    from scheduler.reconciling.loop import AuditLoop
    from scheduler.services.services import Services


def keeper(services: "Services") -> "Keeper":
    """A new keeper, for the deletion of old runs by the settings."""
    from scheduler.history.export import Export
    from scheduler.history.keeper import Keeper
    from scheduler.settings.keeping import selections

    folder = services.settings.history_export
    export = None if folder is None else Export(folder)
    return Keeper(services.engine, selections(services.settings.history_keep), export)


def healer_loop(services: "Services", name: str) -> "HealerLoop":
    """Looks of the healer again and again."""
    from scheduler.healing.loop import HealerLoop

    return HealerLoop(services.redis, services.healer(), name)


def ledger_watcher(services: "Services") -> "Watcher":
    """A new watcher of the ledger."""
    from scheduler.history.queries.ledger import LedgerRows
    from scheduler.history.recording.open_spans import OpenSpans
    from scheduler.ledger.audit import Audit
    from scheduler.ledger.watcher import Watcher

    audit = Audit(
        services.redis,
        LedgerRows(services.engine),
        services.events,
        services.schedule_list,
        services.outages,
    )
    return Watcher(
        services.redis,
        services.events,
        spans=OpenSpans(services.engine),
        definitions=services.definitions,
        listing=services.schedule_list,
        audit=audit,
    )


def surroundings_watch(services: "Services") -> "SurroundingsWatch":
    """A new watch of who is there and who is not."""
    from scheduler.ledger.surroundings import SurroundingsWatch

    return SurroundingsWatch(
        services.redis,
        services.events,
        services.catalogue,
        services.outages,
        has_queues_here=services.settings.broker_has_leases,
    )


def ledger_loop(services: "Services", name: str) -> "LedgerLoop":
    """Looks at the ledger and its surroundings again and again."""
    from scheduler.history.recording.surroundings import forget_before
    from scheduler.ledger.failing_trees import FailingTrees
    from scheduler.ledger.loop import LedgerLoop

    def forget(cutoff: datetime) -> None:
        forget_before(services.engine, cutoff)

    return LedgerLoop(
        services.redis,
        ledger_watcher(services),
        surroundings_watch(services),
        name,
        failing=FailingTrees(services.history, services.schedules, services.operations),
        facts_stored_for=timedelta(days=services.settings.facts_days),
        forget_facts_before=forget,
    )


def message_audit(services: "Services") -> "MessageAudit":
    """A new message audit, for ending unfinished runs without a message."""
    from scheduler.history.queries.open_runs import OpenRuns
    from scheduler.reconciling.audit import MessageAudit

    return MessageAudit(
        services.redis,
        services.celery,
        open_runs=OpenRuns(services.engine),
        stream=services.events,
        leases=services.leases,
        cancellations=services.cancellations,
        catalogue=services.catalogue,
        history_problem=services.history_problem,
    )


def audit_loop(services: "Services", name: str) -> "AuditLoop":
    """Message audits again and again."""
    from scheduler.reconciling.loop import AuditLoop

    return AuditLoop(services.redis, message_audit(services), name)
