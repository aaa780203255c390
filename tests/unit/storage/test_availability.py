"""Errors of servers that cannot serve become one refusal, whoever talks to the server."""

import sqlite3

import kombu.exceptions
import pytest
import redis.exceptions
import sqlalchemy.exc

from scheduler.errors import Refused, Unavailable
from scheduler.history import outage
from scheduler.storage.availability import BROKER, REDIS, answering, server_of

AWAY = (
    redis.exceptions.ConnectionError("refused"),
    kombu.exceptions.OperationalError("gone"),
    ConnectionResetError("reset"),
)


@pytest.mark.parametrize("error", AWAY, ids=lambda error: type(error).__name__)
def test_a_server_that_is_away_is_unavailable_with_the_reason_and_the_remedy(error: Exception):
    with pytest.raises(Unavailable) as caught, answering("nothing is known to be saved"):
        raise error
    assert caught.value.__cause__ is error
    assert str(caught.value) == (
        f"Redis does not answer ({error}); nothing is known to be saved; start it, or set "
        "BEATDESK_REDIS_URL to where it is"
    )


def test_a_server_that_hangs_is_not_to_be_started():
    words = r"^Redis does not answer \(silent\); see whether it hangs .* BEATDESK_REDIS_URL$"
    with pytest.raises(Unavailable, match=words), answering():
        raise redis.exceptions.TimeoutError("silent")


def test_a_refused_login_is_unavailable_and_the_remedy_speaks_of_the_login():
    error = redis.exceptions.AuthenticationError("wrong password")
    with pytest.raises(Unavailable) as caught, answering("nothing is known to be saved"):
        raise error
    assert caught.value.__cause__ is error
    assert "it refuses the login (wrong password); nothing is known to be saved" in str(
        caught.value
    )
    assert "Correct user and password in BEATDESK_REDIS_URL" in str(caught.value)


def test_a_broker_that_is_away_is_called_the_broker():
    words = r"^the broker does not answer \(gone\); look at `beatdesk doctor`"
    with pytest.raises(Unavailable, match=words), answering(server=BROKER):
        raise redis.exceptions.ConnectionError("gone")


@pytest.mark.parametrize("kind", [redis.exceptions.ResponseError, redis.exceptions.ReadOnlyError])
def test_a_server_that_refuses_a_command_is_not_said_to_be_away(kind: type[Exception]):
    words = r"^Redis refused the command, nothing was saved: OOM"
    with pytest.raises(Unavailable, match=words), answering():
        raise kind("OOM command not allowed")


@pytest.mark.parametrize(
    "error",
    [
        Refused("the caller's own"),
        ZeroDivisionError("ours"),
        redis.exceptions.DataError("no bytes"),
        redis.exceptions.WatchError("written meanwhile"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_waiting_does_not_mend_passes(error: Exception):
    with pytest.raises(type(error)) as caught, answering():
        raise error
    assert caught.value is error


def test_errors_name_their_server():
    assert server_of(redis.exceptions.ConnectionError()) is REDIS
    assert server_of(redis.exceptions.ResponseError()) is REDIS
    assert server_of(kombu.exceptions.OperationalError()) is BROKER
    assert server_of(OSError()) is None
    assert server_of(Unavailable()) is None


def _sql_error(kind: type[sqlalchemy.exc.DBAPIError], text: str) -> Exception:
    driver_error: type[Exception] = getattr(sqlite3, kind.__name__)
    return kind("SELECT 1", None, driver_error(text))


def test_a_database_that_cannot_serve_is_unavailable_with_its_reason():
    words = r"^SQL cannot take events: locked$"
    with pytest.raises(Unavailable, match=words), outage.answering("SQL cannot take events"):
        raise _sql_error(sqlalchemy.exc.OperationalError, "locked")
    words = r"^SQL does not answer: its tables are missing; run"
    with pytest.raises(Unavailable, match=words), outage.answering():
        raise _sql_error(sqlalchemy.exc.ProgrammingError, "no such table: runs")


def test_a_wrong_statement_is_no_outage_of_the_database():
    error = _sql_error(sqlalchemy.exc.IntegrityError, "not unique")
    with pytest.raises(sqlalchemy.exc.IntegrityError) as caught, outage.answering():
        raise error
    assert caught.value is error


def test_a_missing_right_is_unavailable_and_the_remedy_names_the_file_of_rights():
    error = redis.exceptions.NoPermissionError(
        "User web has no permissions to run the 'get' command"
    )
    with pytest.raises(Unavailable) as caught, answering():
        raise error
    assert "the login may not run the 'get' command" in str(caught.value)
    assert "config/redis-acl.conf" in str(caught.value)
