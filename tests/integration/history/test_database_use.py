"""A request gives up on the database once, and its statements can be ended from another thread."""

from collections.abc import Iterator
from threading import Event, Thread
from time import monotonic

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection

from scheduler.history import outage
from scheduler.history.connecting import FOR_PAGES, SqlLimits
from scheduler.history.database_use import DatabaseUse, optional, set_current
from scheduler.history.engine import create_engine, writing
from tests.support.waiting import wait_for

ENDLESS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
    "postgresql": "SELECT pg_sleep(60)",
}


@pytest.fixture
def pages(engine: Engine) -> Iterator[Engine]:
    """An engine as the console's, on the migrated database."""
    pages = create_engine(engine.url.render_as_string(hide_password=False), FOR_PAGES)
    yield pages
    pages.dispose()


@pytest.fixture
def use() -> Iterator[DatabaseUse]:
    """The use of this thread."""
    use = DatabaseUse()
    set_current(use)
    yield use
    set_current(None)


def test_a_statement_that_runs_is_ended_and_no_further_one_begins(
    pages: Engine, use: DatabaseUse
) -> None:
    has_begun, has_ended = Event(), Event()
    event.listen(pages, "before_cursor_execute", lambda *_: has_begun.set())

    def end() -> None:
        has_begun.wait()
        while not has_ended.wait(0.05):
            use.end("over its time")

    ending = Thread(target=end)
    ending.start()
    begun = monotonic()
    with pytest.raises(DBAPIError), pages.connect() as connection:
        connection.execute(text(ENDLESS[pages.dialect.name])).all()
    has_ended.set()
    ending.join()
    with pytest.raises(outage.GaveUp, match="over its time") as error, pages.connect() as again:
        again.execute(text("SELECT 1"))
    assert monotonic() - begun < 5
    assert outage.is_busy(error.value)
    set_current(DatabaseUse())
    with pages.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1


def test_a_connection_that_was_given_back_is_not_ended(pages: Engine, use: DatabaseUse) -> None:
    with pages.connect() as connection:
        connection.execute(text("SELECT 1"))
    set_current(DatabaseUse())
    with pages.connect() as connection:
        connection.execute(text("SELECT 1"))
        use.end("over its time")
        assert connection.scalar(text("SELECT 1")) == 1


def test_after_a_lock_that_was_not_free_no_further_statement_waits(
    engine: Engine, use: DatabaseUse
) -> None:
    limits = SqlLimits(pool=1, busy=0.2, lock=0.2, statement=5)
    hurried = create_engine(engine.url.render_as_string(hide_password=False), limits)
    with writing(engine).begin() as holder:
        if engine.dialect.name == "postgresql":
            holder.execute(text("LOCK TABLE runs IN ACCESS EXCLUSIVE MODE"))
        change = text("DELETE FROM runs")
        with optional(), pytest.raises(DBAPIError), writing(hurried).begin() as connection:
            connection.execute(change)
        begun = monotonic()
        with pytest.raises(DBAPIError) as first, writing(hurried).begin() as connection:
            connection.execute(change)
        assert outage.is_busy(first.value)
        for _ in range(50):
            with pytest.raises(outage.GaveUp), writing(hurried).begin() as connection:
                connection.execute(change)
        assert monotonic() - begun < 3
    hurried.dispose()


def test_a_page_waits_for_a_free_connection_for_a_short_time(engine: Engine) -> None:
    limits = SqlLimits(pool=0.1, lock=1)
    small = create_engine(engine.url.render_as_string(hide_password=False), limits)
    held = []
    begun = monotonic()
    with pytest.raises(NoConnection) as error:
        wait_for(lambda: held.append(small.connect()), 30, "all connections are in use")
    assert outage.is_busy(error.value)
    assert 20 <= len(held) <= 30
    assert monotonic() - begun < 20
    for connection in held:
        connection.close()
    small.dispose()
