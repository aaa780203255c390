"""Settings -> the parts of a process. The only place where clients, engines, apps and stores are
constructed.
"""

from functools import cached_property
from typing import TYPE_CHECKING

from scheduler.settings.schema import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis import Redis
    from sqlalchemy import Engine

    from scheduler.accounts.store import Accounts
    from scheduler.catalogue.catalogue import Catalogue
    from scheduler.celery_app.app_class import BeatdeskApp
    from scheduler.dispatch.start_check import StartCheck
    from scheduler.dispatch.waiting_list import WaitingList
    from scheduler.events.dead_letters import DeadLetters
    from scheduler.healing.healer import Healer
    from scheduler.healing.loop import HealerLoop
    from scheduler.healing.notices import Notices
    from scheduler.history.calendars import CalendarHistory
    from scheduler.history.definitions import Definitions
    from scheduler.history.newest_runs import NewestRuns
    from scheduler.history.queries import History
    from scheduler.runs.cancellations import Cancellations
    from scheduler.runs.control import RunControl
    from scheduler.runs.deduplication import Deduplication
    from scheduler.runs.leases import LeasedStream, Leases
    from scheduler.schedules.calendar_store import CalendarStore
    from scheduler.schedules.operations import Operations
    from scheduler.schedules.pause_all import PauseAll
    from scheduler.schedules.reads import Listing
    from scheduler.schedules.same_call import SameCall
    from scheduler.schedules.store import ScheduleStore


class Services:
    """The parts, each made when it is first asked for, so that no process pays for what it does not
    use.
    """

    def __init__(self, settings: Settings, *, remembers: bool = False) -> None:
        """`remembers` is for a process that lives on and lists schedules again and again."""
        self.settings = settings
        self._remembers = remembers

    @cached_property
    def redis(self) -> "Redis":
        """The client for schedules and events; answers are text."""
        from scheduler.storage.client import connect

        return connect(self.settings.redis_url, self.settings.redis_master)

    @cached_property
    def engine(self) -> "Engine":
        """The engine for the history."""
        from scheduler.history.engine import create_engine

        return create_engine(self.settings.database)

    @cached_property
    def celery(self) -> "BeatdeskApp":
        """The Celery app. Its job modules are imported by workers and Beat only, never by asking
        for it.
        """
        from scheduler.celery_app.app import create_app
        from scheduler.celery_app.app_class import PerProcess

        app = create_app(self.settings)
        app.parts = PerProcess(self, lambda: self._for_new_process(app))
        return app

    def _for_new_process(self, app: "BeatdeskApp") -> "Services":
        """The services of another process that runs the same app."""
        services = type(self)(self.settings)
        services.__dict__["celery"] = app  # or they would make an app of their own when asked
        return services

    @cached_property
    def events(self) -> "LeasedStream":
        """The stream; what it is told of runs moves their leases."""
        from scheduler.runs.leases import LeasedStream

        return LeasedStream(self.redis)

    @cached_property
    def dead_letters(self) -> "DeadLetters":
        """The events that could not be recorded."""
        from scheduler.events.dead_letters import DeadLetters

        return DeadLetters(self.redis)

    @cached_property
    def leases(self) -> "Leases":
        """Which runs of schedules are not final."""
        from scheduler.runs.leases import Leases

        return Leases(self.redis, self.events)

    @cached_property
    def copies(self) -> "Deduplication":
        """Which of two messages of a run becomes the run."""
        from scheduler.runs.deduplication import Deduplication

        return Deduplication(self.redis)

    @cached_property
    def at_start(self) -> "StartCheck":
        """Whether a scheduled run may start."""
        from scheduler.dispatch.start_check import StartCheck

        return StartCheck(self.redis)

    @cached_property
    def catalogue(self) -> "Catalogue":
        """The jobs that workers offer."""
        from scheduler.catalogue.catalogue import Catalogue

        return Catalogue(self.redis)

    @cached_property
    def schedules(self) -> "ScheduleStore":
        """The schedules."""
        from scheduler.schedules.list_cache import ListCache
        from scheduler.schedules.store import ScheduleStore

        return ScheduleStore(
            self.redis, self.catalogue, ListCache(self.redis) if self._remembers else None
        )

    @cached_property
    def schedule_list(self) -> "Listing":
        """The schedules, for a process that changes none: it loads nothing that decides or tells
        of changes.
        """
        from scheduler.schedules.reads import Listing

        return Listing(self.redis)

    @cached_property
    def calendars(self) -> "CalendarStore":
        """The exclusion calendars."""
        from scheduler.schedules.calendar_store import CalendarStore

        return CalendarStore(self.redis)

    @cached_property
    def calendar_history(self) -> "CalendarHistory":
        """The exclusion calendars as the history has them."""
        from scheduler.history.calendars import CalendarHistory

        return CalendarHistory(self.engine)

    @cached_property
    def alike(self) -> "SameCall":
        """Which schedules make the same call."""
        from scheduler.schedules.same_call import SameCall

        return SameCall(self.redis)

    @cached_property
    def history(self) -> "History":
        """The questions asked of SQL."""
        from scheduler.history.queries import History

        return History(self.engine)

    @cached_property
    def newest_runs(self) -> "NewestRuns":
        """The newest run of each schedule, for a process that needs nothing else of the history."""
        from scheduler.history.newest_runs import NewestRuns

        return NewestRuns(self.settings.database, lambda: self.history)

    @cached_property
    def definitions(self) -> "Definitions":
        """The schedules as the history has them."""
        from scheduler.history.definitions import Definitions

        return Definitions(self.engine)

    @cached_property
    def notices(self) -> "Notices":
        """What was repaired lately."""
        from scheduler.healing.notices import Notices

        return Notices(self.redis)

    def healer(self) -> "Healer":
        """A healer of its own, which trusts no earlier look."""
        from scheduler.healing.calendar_healer import CalendarHealer
        from scheduler.healing.healer import Healer

        calendars = CalendarHealer(self.redis, self.events, self.calendar_history)
        return Healer(self.redis, self.events, self.definitions, calendars)

    def healer_loop(self, name: str) -> "HealerLoop":
        """Looks again and again, in turn with the loops of other recorders."""
        from scheduler.healing.loop import HealerLoop

        return HealerLoop(self.redis, self.healer(), name)

    @cached_property
    def cancellations(self) -> "Cancellations":
        """Whose end was asked for, and by whom."""
        from scheduler.runs.cancellations import Cancellations

        return Cancellations(self.redis)

    @cached_property
    def waiting(self) -> "WaitingList":
        """The ticks that wait for the run before them."""
        from scheduler.dispatch.waiting_list import WaitingList

        return WaitingList(self.redis)

    def known_runs(self, run_ids: "Sequence[str]") -> set[str]:
        """Which of these runs there are or were, whether or not the history has heard of them
        yet.
        """
        return self.history.known(run_ids) | self.leases.known(run_ids)

    @cached_property
    def control(self) -> "RunControl":
        """Starting runs by hand."""
        from scheduler.runs.control import RunControl

        return RunControl(
            self.celery, self.events, self.cancellations, self.leases, self.catalogue.queue_of
        )

    @cached_property
    def operations(self) -> "Operations":
        """What operators do to schedules beside editing them."""
        from scheduler.schedules.operations import Operations

        return Operations(self.schedules)

    @cached_property
    def everything(self) -> "PauseAll":
        """All schedules at once."""
        from scheduler.schedules.pause_all import PauseAll

        return PauseAll(self.redis, self.schedules, self.operations)

    @cached_property
    def accounts(self) -> "Accounts":
        """Who may log in."""
        from scheduler.accounts.store import Accounts

        return Accounts(self.engine)
