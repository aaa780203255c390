"""Addresses of Redis Sentinel."""

import pytest

from scheduler.storage.addresses.sentinels import is_sentinel, read


def test_the_login_and_the_database_of_the_first_are_those_of_all() -> None:
    found = read("sentinel://ada:p%40ss@one:26380/3;sentinel://two")
    assert found.places == (("one", 26380), ("two", 26379))
    assert (found.username, found.password, found.db) == ("ada", "p@ss", 3)
    assert found.for_kombu == "sentinel://ada:p%40ss@one:26380/3;sentinel://ada:p%40ss@two:26379/3"
    assert found.for_limits("desk") == "redis+sentinel://ada:p%40ss@one:26380,two:26379/desk"


def test_without_a_login_there_is_none() -> None:
    found = read("sentinel://one:1")
    assert (found.username, found.password, found.db) == (None, None, 0)
    assert found.for_kombu == "sentinel://one:1/0"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("sentinel://one;two:1", "each part"),
        ("sentinel://", "each part"),
        ("sentinel://one;sentinel://:secret@two", "the first part only"),
        ("sentinel://one/first", "is not a number"),
        ("sentinel://one:port", "port"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(address: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read(address)


def test_other_addresses_are_none() -> None:
    assert not is_sentinel("redis://one:6379/0")
