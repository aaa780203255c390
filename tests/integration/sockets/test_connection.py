"""A connection's bytes and times, with the clock in the test's hand."""

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.support.waiting import wait_for
from webadmin.sockets.arrival import Stage
from webadmin.sockets.connection import SLOWEST, Connection, Times
from webadmin.sockets.outgoing import MOST_WAITING, Outgoing, Writers

TIMES = Times()


class Pair:
    """A connection and its client's end."""

    def __init__(self, writers: int = 1) -> None:
        raw, self.client = socket.socketpair()
        raw.setblocking(False)
        self.wishes = 0
        self.sock = Outgoing(raw, Writers(writers), self._wish)
        self.conn = Connection(raw, self.sock, ("127.0.0.1", 1), ("127.0.0.1", 2), TIMES)

    def fill(self, waiting: int = 1) -> None:
        """Write until so many bytes wait for the client."""
        while self.sock.waiting < waiting:
            self.sock.sendall(b"a" * 65_536)

    def read(self) -> int:
        """Let the client read what the socket holds, and send more. Returns the bytes read."""
        number = len(self.client.recv(1_000_000))
        self.sock.flush()
        return number

    def _wish(self) -> None:
        self.wishes += 1


@pytest.fixture
def pair() -> Iterator[Pair]:
    pair = Pair()
    yield pair
    pair.sock.release()
    pair.client.close()


def test_a_head_has_its_time_from_its_first_byte(pair: Pair) -> None:
    pair.client.sendall(b"GET / ")
    assert pair.conn.read(100.0) is Stage.HEAD
    pair.client.sendall(b"HTTP/1.1\r\n")
    pair.conn.read(105.0)
    assert pair.conn.deadline == 100.0 + TIMES.head


def test_a_body_has_its_time_and_more_for_what_has_arrived(pair: Pair) -> None:
    head = b"POST / HTTP/1.1\r\nContent-Length: 900000\r\n\r\n"
    pair.client.sendall(head)
    assert pair.conn.read(100.0) is Stage.BODY
    pair.client.sendall(b"a" * SLOWEST)
    pair.conn.read(120.0)
    assert pair.conn.deadline == 100.0 + TIMES.body + (SLOWEST + len(head)) / SLOWEST


def test_who_takes_nothing_takes_too_long_and_who_takes_enough_does_not(pair: Pair) -> None:
    pair.fill()
    pair.conn.begin_sending(100.0)
    assert not pair.conn.takes_too_long(100.0 + TIMES.answer)
    assert pair.conn.takes_too_long(101.0 + TIMES.answer)
    pair.sock.sendall(b"a" * 500_000)
    assert pair.read() > 2 * SLOWEST
    assert not pair.conn.takes_too_long(101.0 + TIMES.answer)


def test_a_thread_waits_for_a_client_when_much_waits_and_then_goes_on(pair: Pair) -> None:
    pair.fill()
    assert pair.wishes == 1
    pair.fill(MOST_WAITING)
    writer = threading.Thread(target=pair.sock.sendall, args=(b"the end",))
    writer.start()
    wait_for(lambda: pair.read() and not writer.is_alive(), 10)
    assert not pair.sock.is_closed


def test_only_some_threads_may_wait_for_clients() -> None:
    pair = Pair(writers=0)
    pair.fill(MOST_WAITING)
    with pytest.raises(BrokenPipeError, match="too many"):
        pair.sock.sendall(b"more")
    pair.sock.release()
    pair.client.close()


def test_the_end_of_a_connection_ends_a_thread_that_waits(pair: Pair) -> None:
    pair.fill(MOST_WAITING)
    errors: list[BaseException] = []

    def write() -> None:
        try:
            pair.sock.sendall(b"more")
        except BrokenPipeError as error:
            errors.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    pair.sock.close()
    writer.join(10)
    assert len(errors) == 1


def test_a_client_that_has_gone_is_noticed(pair: Pair) -> None:
    pair.client.close()
    assert pair.conn.read(100.0) is None
    with pytest.raises(BrokenPipeError):
        pair.sock.sendall(b"answer")
    assert pair.sock.is_closed
