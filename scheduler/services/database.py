"""The services of a process that stand on the SQL database alone."""

from functools import cached_property
from typing import TYPE_CHECKING

from scheduler.settings.schema import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from scheduler.accounts.password_links import PasswordLinks
    from scheduler.accounts.second_factors import SecondFactors
    from scheduler.accounts.sessions import Sessions
    from scheduler.accounts.store import Accounts
    from scheduler.accounts.tokens import Tokens
    from scheduler.history.connecting import SqlLimits
    from scheduler.history.queries.access import AccessHistory
    from scheduler.history.queries.calendars import CalendarHistory
    from scheduler.history.queries.definitions import Definitions
    from scheduler.history.queries.history import History
    from scheduler.history.queries.newest_runs import NewestRuns
    from scheduler.history.queries.outages import Outages
    from scheduler.history.queries.recent_days import RecentDays
    from scheduler.history.queries.statistics import Statistics


class DatabaseServices:
    """The history's queries, accounts and the access log. Each is made on first use."""

    settings: Settings
    _sql_limits: "SqlLimits | None"

    @cached_property
    def engine(self) -> "Engine":
        """The SQL engine of the history."""
        from scheduler.history.connecting import FOR_PROCESSES
        from scheduler.history.engine import create_engine

        return create_engine(self.settings.database, self._sql_limits or FOR_PROCESSES)

    @cached_property
    def calendar_history(self) -> "CalendarHistory":
        """The exclusion calendars in the history."""
        from scheduler.history.queries.calendars import CalendarHistory

        return CalendarHistory(self.engine)

    @cached_property
    def history(self) -> "History":
        """Queries of runs and events in SQL."""
        from scheduler.history.queries.history import History

        return History(self.engine)

    @cached_property
    def statistics(self) -> "Statistics":
        """Statistics of schedules by day."""
        from scheduler.history.queries.statistics import Statistics

        return Statistics(self.engine)

    @cached_property
    def newest_runs(self) -> "NewestRuns":
        """The newest run of each schedule, for a process without other queries."""
        from scheduler.history.queries.newest_runs import NewestRuns

        return NewestRuns(self.settings.database, lambda: self.history)

    @cached_property
    def recent_days(self) -> "RecentDays":
        """The days of one schedule, for a process without other queries."""
        from scheduler.history.queries.recent_days import RecentDays

        return RecentDays(self.settings.database, lambda: self.statistics)

    @cached_property
    def definitions(self) -> "Definitions":
        """The schedules in the history."""
        from scheduler.history.queries.definitions import Definitions

        return Definitions(self.engine)

    @cached_property
    def outages(self) -> "Outages":
        """Outages and facts in the history."""
        from scheduler.history.queries.outages import Outages

        return Outages(self.engine)

    @cached_property
    def access_history(self) -> "AccessHistory":
        """The access log in the history."""
        from scheduler.history.queries.access import AccessHistory

        return AccessHistory(self.engine)

    @cached_property
    def accounts(self) -> "Accounts":
        """Accounts of the console."""
        from scheduler.accounts.store import Accounts

        return Accounts(self.engine)

    @cached_property
    def password_links(self) -> "PasswordLinks":
        """Links by which people set their passwords."""
        from scheduler.accounts.password_links import PasswordLinks

        return PasswordLinks(self.engine)

    @cached_property
    def second_factors(self) -> "SecondFactors":
        """Authenticator apps, passkeys and recovery codes."""
        from scheduler.accounts.sealing import Seal
        from scheduler.accounts.second_factors import SecondFactors

        return SecondFactors(self.engine, Seal(self.settings.secret_key))

    @cached_property
    def tokens(self) -> "Tokens":
        """Tokens for programs."""
        from scheduler.accounts.tokens import Tokens

        return Tokens(self.engine)

    @cached_property
    def sessions(self) -> "Sessions":
        """Logins that have not ended."""
        from scheduler.accounts.sessions import Sessions

        return Sessions(self.engine)
