"""The kind of an error is found wherever it stands in the chain of causes."""

import socket

import pytest

from scheduler.storage.connection_faults import OTHER, fault_of, missing_right


class Wrapped(Exception):
    """An error of a client library."""


def wrapped(error: Exception, *, by_cause: bool) -> Wrapped:
    """The error as a client raises it: by `from`, or while it handles the error."""
    try:
        try:
            raise error
        except Exception as inner:
            if by_cause:
                raise Wrapped("the client gives up") from inner
            raise Wrapped("the client gives up")  # noqa: B904 - the context is the case
    except Wrapped as outer:
        return outer


@pytest.mark.parametrize("by_cause", [True, False])
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (socket.gaierror("no such host"), "name"),
        (ConnectionRefusedError("refused"), "refused"),
        (FileNotFoundError("no socket"), "socket"),
        (TimeoutError("late"), "time-out"),
        (RuntimeError("WRONGPASS invalid username-password pair"), "login"),
        (RuntimeError("NOPERM User web has no permissions to run the 'get' command"), "right"),
        (RuntimeError("anything else"), "other"),
    ],
)
def test_the_kind_of_the_system_s_error_is_found(
    error: Exception, kind: str, by_cause: bool
) -> None:
    assert fault_of(wrapped(error, by_cause=by_cause)).kind == kind


def test_an_error_without_a_kind_names_the_setting_in_its_remedy() -> None:
    assert "BEATDESK_BROKER_URL" in OTHER.remedy_for("BEATDESK_BROKER_URL")


def test_the_missing_right_is_named_in_the_words_of_the_server() -> None:
    error = RuntimeError("NOPERM User web has no permissions to run the 'get' command")
    assert missing_right(wrapped(error, by_cause=True)) == "run the 'get' command"
    assert missing_right(RuntimeError("no such host")) is None
