"""Access events become chained rows, each once, in whatever order and by however many recorders."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, delete, insert, select, update

from scheduler.errors import Refused
from scheduler.events.access import (
    AccessEvent,
    DataExported,
    LoginFailed,
    RoleChanged,
    access_event,
)
from scheduler.history.access_models import AccessHead, AccessRow
from scheduler.history.queries.access import AccessHistory
from scheduler.history.recording.writer import write_events
from tests.support.builders import NOON


def event(number: int, kind: type[AccessEvent] = LoginFailed) -> AccessEvent:
    return access_event(
        kind,
        actor="admin@example.org",
        at=NOON + timedelta(seconds=number),
        subject=f"user{number}@example.org",
        address="203.0.113.7",
        detail="viewer",
    )


def test_a_repeated_event_is_one_row_and_numbers_have_no_gap(engine: Engine) -> None:
    write_events(engine, [event(2), event(1)])
    write_events(engine, [event(1), event(3), event(3)])
    page = AccessHistory(engine).page()
    assert [(row.number, row.subject) for row in page.items] == [
        (3, "user3@example.org"),
        (2, "user2@example.org"),
        (1, "user1@example.org"),
    ]
    assert AccessHistory(engine).verify().fault is None


def test_an_empty_log_is_whole(engine: Engine) -> None:
    chain = AccessHistory(engine).verify()
    assert (chain.rows, chain.fault) == (0, None)


def change(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            update(AccessRow).where(AccessRow.number == 2).values(subject="nobody@example.org")
        )


def remove(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(delete(AccessRow).where(AccessRow.number == 2))


def remove_newest(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(delete(AccessRow).where(AccessRow.number == 3))


def remove_all(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(delete(AccessRow))


@pytest.mark.parametrize(
    ("meddle", "place"),
    [(change, "row 2"), (remove, "row 2"), (remove_newest, "row 3"), (remove_all, "row 1")],
)
def test_a_row_that_was_changed_or_removed_shows(
    engine: Engine, meddle: Callable[[Engine], None], place: str
) -> None:
    write_events(engine, [event(number) for number in (1, 2, 3)])
    meddle(engine)
    fault = AccessHistory(engine).verify().fault
    assert fault is not None
    assert place in fault


def remove_head(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(delete(AccessHead))


def forge(engine: Engine) -> None:
    with engine.begin() as connection:
        newest = connection.execute(select(AccessRow.__table__).order_by(AccessRow.number.desc()))
        row = newest.mappings().first()
        assert row is not None
        forged = dict(row) | {"key": 99, "id": "forged", "number": row["number"] + 1}
        connection.execute(insert(AccessRow).values(forged))


@pytest.mark.parametrize(("meddle", "place"), [(remove_head, "row 1"), (forge, "row 4")])
def test_a_row_that_the_head_does_not_cover_shows(
    engine: Engine, meddle: Callable[[Engine], None], place: str
) -> None:
    write_events(engine, [event(number) for number in (1, 2, 3)])
    meddle(engine)
    fault = AccessHistory(engine).verify().fault
    assert fault is not None
    assert place in fault


def test_a_wrong_filter_is_refused_before_the_first_row_is_read(engine: Engine) -> None:
    with pytest.raises(Refused):
        AccessHistory(engine).rows(kind="x")


def test_a_chain_that_was_computed_anew_misses_the_head_that_was_noted(engine: Engine) -> None:
    write_events(engine, [event(1), event(2)])
    noted = AccessHistory(engine).verify().head
    with engine.begin() as connection:
        connection.execute(delete(AccessRow))
        connection.execute(delete(AccessHead))
    write_events(engine, [event(1), event(3)])
    history = AccessHistory(engine)
    assert history.verify().fault is None
    assert "row 2" in str(history.verify(noted).fault)
    write_events(engine, [event(4)])
    assert history.verify(history.verify().head).fault is None


def test_rows_are_found_by_person_kind_and_time(engine: Engine) -> None:
    write_events(engine, [event(1), event(2, RoleChanged), event(3)])
    history = AccessHistory(engine)
    assert [row.number for row in history.page(kind="role_changed").items] == [2]
    assert [row.number for row in history.page(person="user3@example.org").items] == [3]
    assert [row.number for row in history.page(person="admin@example.org").items] == [3, 2, 1]
    since = NOON + timedelta(seconds=2)
    assert [row.number for row in history.page(since=since).items] == [3, 2]
    assert [row.number for row in history.page(until=since).items] == [1]


def test_what_a_token_did_is_found_by_its_owner(engine: Engine) -> None:
    for number, actor in enumerate(("ann@x.org token:ci", "ann@x.org.uk token:ci", "token:ci")):
        exported = access_event(DataExported, actor=actor, at=NOON + timedelta(seconds=number))
        write_events(engine, [exported])
    history = AccessHistory(engine)
    assert [row.number for row in history.page(person="ann@x.org").items] == [1]
    assert [row.number for row in history.page(person="token:ci").items] == [3]
    assert history.page(person="a_n@x.org").items == []


def test_pages_follow_each_other(engine: Engine) -> None:
    write_events(engine, [event(number) for number in range(5)])
    history = AccessHistory(engine)
    first = history.page(limit=2)
    second = history.page(limit=2, after=first.next)
    last = history.page(limit=2, after=second.next)
    assert [[row.number for row in page.items] for page in (first, second, last)] == [
        [5, 4],
        [3, 2],
        [1],
    ]
    assert last.next is None


def test_the_whole_log_can_be_read_oldest_first(engine: Engine) -> None:
    write_events(engine, [event(number) for number in range(5)])
    with engine.connect() as connection:
        count = len(connection.execute(select(AccessRow.number)).all())
    rows = list(AccessHistory(engine).rows(batch=2))
    assert [row.number for row in rows] == list(range(1, count + 1))
