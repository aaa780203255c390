"""What one request may cost, by endpoint, and what happens to one that costs more.

table       seconds of wall time, of processor time, and for the answers of Redis
waiting     the time for Redis and SQL: all questions of a request share it
middleware  around the application: begins the watch, answers for a request that was ended
watchdog    the thread that looks at the requests that run
watched     a request that runs, its clocks, and how it is ended
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def install(app: "Flask") -> None:
    """Give every request of the app its budget. Comes before all that asks a server."""
    from webadmin.budgets import waiting
    from webadmin.budgets.middleware import Budgets
    from webadmin.budgets.watchdog import Watchdog

    waiting.install(app)
    app.wsgi_app = Budgets(app.wsgi_app, Watchdog())  # type: ignore[method-assign]
