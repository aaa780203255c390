"""The recent days of one schedule, read through the database's driver and not by SQLAlchemy.

For `schedules show`, as `newest_runs` is. A test holds the answers equal to those of `statistics`.
"""

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

from scheduler.history.connecting import is_storable
from scheduler.history.days import DayStatistics
from scheduler.history.queries.newest_runs import by_driver

if TYPE_CHECKING:
    from scheduler.history.queries.statistics import Statistics

_DAYS = (
    "SELECT {columns} FROM schedule_days WHERE schedule_uid = {mark} AND day BETWEEN {mark} "
    "AND {mark} ORDER BY day"
)


class RecentDays:
    """The days of schedules in one database."""

    def __init__(self, address: str, statistics: "Callable[[], Statistics]") -> None:
        """`address` is SQLAlchemy's; `statistics` answers for addresses that drivers do not
        read.
        """
        self._address = address
        self._statistics = statistics

    def of(self, uid: str, since: date, until: date) -> list[DayStatistics]:
        """The days of the schedule from `since` to `until`, oldest first.

        Raises the driver's errors (see `driver_errors`), or SQLAlchemy's.
        """
        if not is_storable(uid):
            return []
        names = list(DayStatistics.model_fields)
        with by_driver(self._address) as driver:
            if driver is not None:
                statement = _DAYS.format(columns=", ".join(names), mark=driver.mark)
                values = (uid, since.isoformat(), until.isoformat())
                rows = driver.connection.execute(statement, values)
                # Validated, since SQLite has dates as text.
                return [
                    DayStatistics.model_validate(dict(zip(names, row, strict=True))) for row in rows
                ]
        return self._statistics().days([uid], since, until).get(uid, [])
