"""The time for the answers of Redis and SQL: the questions of a request share it.

SQL's time-outs are those of its connections (`connecting.FOR_PAGES`); after the first one the
request asks no more. Where a question to Redis was not answered in time, the next requests wait
for a shorter time, until Redis answers one of them.
"""

from typing import cast

from flask import Flask, current_app, request

from scheduler.history import database_use
from scheduler.storage.waiting_time import ServerRecord, WaitingTime, set_redis_time
from webadmin.budgets.middleware import KEY
from webadmin.budgets.table import EACH_ANSWER, SILENT, budget_of


def install(app: Flask) -> None:
    """Give every request its time, before anything of the app asks a server."""
    app.extensions["redis_record"] = ServerRecord()
    app.before_request(begin)
    app.teardown_request(end)


def begin() -> None:
    """Give the request its budget, its time for Redis, and its use of the database."""
    budget = budget_of(request.endpoint)
    record = _record()
    time = WaitingTime(
        budget.redis, each=SILENT if record.is_silent else EACH_ANSWER, record=record
    )
    use = database_use.DatabaseUse()
    set_redis_time(time)
    database_use.set_current(use)
    watched = request.environ.get(KEY)
    if watched is not None:
        watched.budget, watched.time, watched.use = budget, time, use


def end(_error: BaseException | None) -> None:
    """End the time, so that the thread's next request begins with its own."""
    set_redis_time(None)
    database_use.set_current(None)


def _record() -> ServerRecord:
    return cast(ServerRecord, current_app.extensions["redis_record"])
