"""Services of a process, made from the settings. Only this folder constructs clients, engines, apps
and stores.
"""

from functools import cached_property
from typing import TYPE_CHECKING

from scheduler.services.database import DatabaseServices
from scheduler.settings.schema import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis import Redis

    from scheduler.accounts.access_log import AccessLog
    from scheduler.catalogue.catalogue import Catalogue
    from scheduler.celery_app.app_class import BeatdeskApp
    from scheduler.dispatch.start_check import StartCheck
    from scheduler.dispatch.waiting_list import WaitingList
    from scheduler.events.dead_letters import DeadLetters
    from scheduler.healing.healer import Healer
    from scheduler.healing.notices import Notices
    from scheduler.history.connecting import SqlLimits
    from scheduler.queues.moving import MessageMoves
    from scheduler.queues.unread import UnreadQueues
    from scheduler.rules.model.spec import Schedule
    from scheduler.runs.approvals import Approvals
    from scheduler.runs.cancellations import Cancellations
    from scheduler.runs.canceller import Canceller
    from scheduler.runs.control import RunControl
    from scheduler.runs.deduplication import Deduplication
    from scheduler.runs.deliveries import Deliveries
    from scheduler.runs.leases import LeasedStream, Leases
    from scheduler.schedules.calendar_store import CalendarStore
    from scheduler.schedules.change_check import ChangeCheck
    from scheduler.schedules.operations import Operations
    from scheduler.schedules.pause_all import PauseAll
    from scheduler.schedules.reads import Listing
    from scheduler.schedules.same_call import SameCall
    from scheduler.schedules.store import ScheduleStore


class Services(DatabaseServices):
    """The services of one process. Each is made on first use, so a process pays for used services
    only.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        remembers: bool = False,
        check_change: "ChangeCheck | None" = None,
        sql_limits: "SqlLimits | None" = None,
    ) -> None:
        """`remembers` caches the list of schedules, for a long-lived process with frequent
        lists. `check_change` may refuse each change of a schedule before it is written.
        `sql_limits` are `connecting.FOR_PROCESSES` where none are given.
        """
        self.settings = settings
        self._remembers = remembers
        self._check_change = check_change
        self._sql_limits = sql_limits

    @cached_property
    def redis(self) -> "Redis":
        """The Redis client for schedules and events; replies are text."""
        from scheduler.storage.client import connect

        return connect(self.settings.redis_url, self.settings.redis_master)

    @cached_property
    def celery(self) -> "BeatdeskApp":
        """The Celery app. Making the app imports no job modules; only workers and Beat
        import them.
        """
        from scheduler.celery_app.app import create_app
        from scheduler.celery_app.app_class import PerProcess

        app = create_app(self.settings)
        app.parts = PerProcess(self, lambda: self._for_new_process(app))
        return app

    def _for_new_process(self, app: "BeatdeskApp") -> "Services":
        """The services of another process with an equal app."""
        services = type(self)(self.settings)
        services.__dict__["celery"] = app  # or the new services would make an app of their own
        return services

    @cached_property
    def events(self) -> "LeasedStream":
        """The event stream; leases move with the events of runs."""
        from scheduler.runs.leases import LeasedStream

        return LeasedStream(self.redis)

    @cached_property
    def dead_letters(self) -> "DeadLetters":
        """The events missing from the history because of errors."""
        from scheduler.events.dead_letters import DeadLetters

        return DeadLetters(self.redis)

    @cached_property
    def leases(self) -> "Leases":
        """Leases of the schedules' runs without an end."""
        from scheduler.runs.leases import Leases

        return Leases(self.redis, self.events)

    @cached_property
    def deduplication(self) -> "Deduplication":
        """Deduplication of messages delivered by the outbox."""
        from scheduler.runs.deduplication import Deduplication

        return Deduplication(self.redis)

    @cached_property
    def deliveries(self) -> "Deliveries":
        """Deliveries of the messages of runs."""
        from scheduler.runs.deliveries import Deliveries

        return Deliveries(self.redis)

    @cached_property
    def start_check(self) -> "StartCheck":
        """Check whether a scheduled run may start."""
        from scheduler.dispatch.start_check import StartCheck

        return StartCheck(self.redis)

    @cached_property
    def catalogue(self) -> "Catalogue":
        """The jobs offered by workers."""
        from scheduler.catalogue.catalogue import Catalogue

        return Catalogue(self.redis)

    @cached_property
    def approvals(self) -> "Approvals":
        """Approvals of calls of jobs for administrators."""
        from scheduler.runs.approvals import Approvals

        return Approvals(self.settings.secret_key)

    @cached_property
    def schedules(self) -> "ScheduleStore":
        """The schedules."""
        from scheduler.schedules.change_check import allow_every_change
        from scheduler.schedules.list_cache import ListCache
        from scheduler.schedules.store import ScheduleStore

        return ScheduleStore(
            self.redis,
            self.catalogue,
            ListCache(self.redis) if self._remembers else None,
            check_change=self._check_change or allow_every_change,
            approvals=self.approvals,
        )

    @cached_property
    def schedule_list(self) -> "Listing":
        """The schedules, for a process that only lists: loads no code for changes."""
        from scheduler.schedules.reads import Listing

        return Listing(self.redis)

    @cached_property
    def calendars(self) -> "CalendarStore":
        """The exclusion calendars."""
        from scheduler.schedules.calendar_store import CalendarStore

        return CalendarStore(self.redis)

    @cached_property
    def same_call(self) -> "SameCall":
        """Search for schedules with equal calls."""
        from scheduler.schedules.same_call import SameCall

        return SameCall(self.redis)

    @cached_property
    def notices(self) -> "Notices":
        """Notices of recent repairs."""
        from scheduler.healing.notices import Notices

        return Notices(self.redis)

    def healer(self) -> "Healer":
        """A new healer of schedules and calendars lost from Redis, without trust in an earlier
        check.
        """
        from scheduler.healing.calendar_healer import CalendarHealer
        from scheduler.healing.healer import Healer

        calendars = CalendarHealer(self.redis, self.events, self.calendar_history)
        return Healer(
            self.redis,
            self.events,
            self.definitions,
            calendars,
            history_problem=self.history_problem,
        )

    def history_problem(self) -> str | None:
        """Return why the database is not the history that was recorded into; None where it is."""
        from scheduler.history import identity

        return identity.compare(self.engine, self.redis).problem

    @cached_property
    def unread_queues(self) -> "UnreadQueues":
        """Queues with waiting messages and without a worker."""
        from scheduler.queues.unread import UnreadQueues

        return UnreadQueues(self.redis)

    def queue_of(self, schedule: "Schedule") -> str:
        """Return the queue of a schedule's messages."""
        from scheduler.celery_app.queues import DEFAULT

        return schedule.queue or self.catalogue.queue_of(schedule.job) or DEFAULT

    @cached_property
    def message_moves(self) -> "MessageMoves":
        """Moves of waiting messages to another queue."""
        from scheduler.queues.moving import MessageMoves

        return MessageMoves(self.celery, self.events, self.settings.event_body_limit)

    @cached_property
    def cancellations(self) -> "Cancellations":
        """Cancelled runs and their actors."""
        from scheduler.runs.cancellations import Cancellations

        return Cancellations(self.redis)

    @cached_property
    def canceller(self) -> "Canceller":
        """Cancellation of runs."""
        from scheduler.queues.removal import MessageRemoval
        from scheduler.runs.canceller import Canceller

        removal = MessageRemoval(self.celery)
        return Canceller(self.celery, self.events, self.cancellations, self.leases, removal)

    @cached_property
    def waiting(self) -> "WaitingList":
        """The ticks waiting for the run before them."""
        from scheduler.dispatch.waiting_list import WaitingList

        return WaitingList(self.redis)

    def existing_runs(self, run_ids: "Sequence[str]") -> set[str]:
        """The existing runs among `run_ids`: in the history, or not yet recorded there."""
        return self.history.recorded(run_ids) | self.leases.known(run_ids)

    @cached_property
    def control(self) -> "RunControl":
        """Start, rerun and cancellation of runs by hand."""
        from scheduler.queues.presence import has_message
        from scheduler.runs.control import RunControl

        return RunControl(
            self.celery,
            self.events,
            self.canceller,
            self.leases,
            queue_of=self.catalogue.queue_of,
            has_message=lambda run, queue: has_message(self.celery, run, queue),
            can_stop_jobs=self.catalogue.can_stop_jobs,
            approve=lambda call: self.approvals.needed(call, self.catalogue.least_roles),
        )

    @cached_property
    def operations(self) -> "Operations":
        """Operators' actions on schedules other than edits."""
        from scheduler.schedules.operations import Operations

        return Operations(self.schedules)

    @cached_property
    def pause_all(self) -> "PauseAll":
        """Pause of all schedules at once."""
        from scheduler.schedules.pause_all import PauseAll

        return PauseAll(self.redis, self.schedules, self.operations)

    @cached_property
    def access_log(self) -> "AccessLog":
        """The access log: logins, accounts, tokens, exports."""
        from scheduler.accounts.access_log import AccessLog

        return AccessLog(self.events, self.engine)
