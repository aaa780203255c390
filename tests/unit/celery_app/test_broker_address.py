"""Whether two addresses lead to one broker."""

import pytest

from scheduler.celery_app.broker_address import are_same_broker


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("redis://localhost:6379/0", "redis://127.0.0.1"),
        ("redis://:secret@db.example:6380/2", "redis://db.example:6380/2?ssl=1"),
        ("amqp://", "pyamqp://guest:guest@localhost:5672//"),
        ("redis://a;redis://b", "redis://b/0"),
        ("claiming+redis://a", "redis://a"),
    ],
)
def test_an_address_written_otherwise_is_the_same_broker(first: str, second: str) -> None:
    assert are_same_broker(first, second)
    assert are_same_broker(second, first)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("redis://localhost/0", "redis://localhost/9"),
        ("redis://localhost:6379", "redis://localhost:6380"),
        ("redis://a", "redis://b"),
        ("redis://localhost", "amqp://localhost"),
        ("amqp://localhost/one", "amqp://localhost/two"),
        ("memory://", "redis://"),
    ],
)
def test_another_host_port_database_or_kind_is_another_broker(first: str, second: str) -> None:
    assert not are_same_broker(first, second)
