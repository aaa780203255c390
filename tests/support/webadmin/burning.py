"""The console with two pages that a fault keeps from their end, for a server of its own."""

from itertools import count

from flask import Flask
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from webadmin import create_app
from webadmin.budgets.table import BUDGETS, Budget
from webadmin.services import services

ENDLESS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
    "postgresql": "SELECT pg_sleep(60)",
}


def create() -> Flask:
    """Return the console. `/jobs/` works without an end, `/calendars/` waits for SQL without one."""
    app = create_app()
    app.view_functions["jobs.index"] = burn
    app.view_functions["calendars.index"] = wait
    BUDGETS["jobs.index"] = Budget(cpu=0.5)
    BUDGETS["calendars.index"] = Budget(wall=1.0)
    return app


def burn() -> ResponseReturnValue:
    """Never return."""
    for number in count():
        assert number * number >= 0
    return "done"


def wait() -> ResponseReturnValue:
    """Wait for a statement without an end, again and again."""
    engine = services().engine
    with engine.connect() as connection:
        return str(connection.scalar(text(ENDLESS[engine.dialect.name])))
