"""The database's part of the health, for a process that ends soon: read with a time limit."""

from collections.abc import Callable
from contextvars import copy_context

from scheduler.health.status import Part, sql_part
from scheduler.queues.timeouts import call_with_timeout
from scheduler.services.services import Services
from scheduler.settings.errors import without_password


def sql_part_within(seconds: float) -> Callable[[Services], Part]:
    """Return `sql_part` with a time limit. A database that does not answer in time is not well.

    The thread that waits for the database is left behind, so this is for commands only.
    """

    def read(services: Services) -> Part:
        from scheduler.history import schema_version

        _ = services.engine, schema_version.head()  # our own work, which a busy machine delays
        context = copy_context()  # with the caller's time for Redis
        try:
            return call_with_timeout(
                seconds, lambda: context.run(sql_part, services), lambda _: None
            )
        except TimeoutError as error:
            place = without_password(services.settings.database)
            return Part(
                name="sql",
                ok=False,
                summary=f"{place} does not answer: {error}",
                remedy="See whether another program holds a lock on its tables, or whether its "
                "server hangs; runs go on and history catches up",
            )

    return read
