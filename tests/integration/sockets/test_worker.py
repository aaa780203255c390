"""The console's worker: its threads never wait for a client, and HTTP is as with gunicorn's own."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.settings.schema import Settings
from tests.support.ports import free_port, listens
from tests.support.processes import ROOT, Process, env_of
from tests.support.waiting import wait_for
from tests.support.webadmin.plain_server import (
    BIG,
    connect,
    dribble,
    read_all,
    slow_clients,
    talk,
)

END = b"Connection: close\r\n\r\n"
HEALTH = b"GET /healthz HTTP/1.1\r\n" + END
ECHO = b"GET /echo HTTP/1.1\r\n" + END
MOST = 60
"""Connections that the server holds."""


class Server:
    """The small application with two threads, in a process of its own."""

    def __init__(self, worker: str = "HurriedWorker") -> None:
        self.port = free_port()
        self.process = Process(
            "gunicorn",
            f"--worker-class=tests.support.webadmin.plain_server.{worker}",
            f"--bind=127.0.0.1:{self.port}",
            "--threads=2",
            f"--worker-connections={MOST}",
            "--graceful-timeout=8",
            "--keep-alive=1",
            "--no-control-socket",
            "tests.support.webadmin.plain_server:application",
            env=env_of(Settings()),
            cwd=ROOT,
            keep=True,
        )
        wait_for(lambda: listens(self.port), 20, "the server listens")

    def release(self) -> None:
        """Let requests to `/held` end."""
        for worker in self.workers():
            os.kill(worker, signal.SIGUSR2)

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """The server of the tests that leave it running."""
    server = Server()
    yield server
    server.process.forget()


@pytest.fixture
def unhurried() -> Iterator[Server]:
    """A server of the test's own, in which clients have the time that they have in production."""
    server = Server("HoldingWorker")
    yield server
    server.process.forget()


SLOW = {
    "silent": b"",
    "in the head": b"GET /echo HTTP/1.1\r\nX: ",
    "in the body": b"POST /echo HTTP/1.1\r\nContent-Length: 900\r\n\r\n",
    "in a chunk": b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n384\r\n",
}


@pytest.mark.parametrize("first", SLOW.values(), ids=SLOW)
def test_a_slow_request_holds_no_thread_and_ends(server: Server, first: bytes) -> None:
    with slow_clients(server.port, 20, first) as clients:
        dribble(clients if first else [])
        assert talk(server.port, ECHO).startswith(b"HTTP/1.1 200 ")
        answers = {read_all(client)[:20] for client in clients}
    assert answers == ({b"HTTP/1.1 408 Request"} if first else {b""})


def test_who_does_not_read_holds_no_thread_and_ends(server: Server) -> None:
    big = b"GET /big HTTP/1.1\r\n\r\n"
    with slow_clients(server.port, 10, big, receive_buffer=4096) as clients:
        assert talk(server.port, ECHO).startswith(b"HTTP/1.1 200 ")
        assert [client.recv(12) for client in clients[:1]] == [b"HTTP/1.1 200"]
        wait_for(lambda: talk(server.port, ECHO).startswith(b"HTTP/1.1 200 "), 10)


def test_who_reads_gets_all_of_a_long_answer(server: Server) -> None:
    answer = talk(server.port, b"GET /big HTTP/1.1\r\n" + END)
    assert answer.partition(b"\r\n\r\n")[2] == b"a" * BIG


def test_an_answer_that_breaks_off_ends_its_connection_only(server: Server) -> None:
    broken = b"GET /broken HTTP/1.1\r\n\r\n"
    with slow_clients(server.port, 10, broken) as clients:
        answers = [read_all(client) for client in clients]
    assert {answer.partition(b"\r\n\r\n")[2] for answer in answers} == {b"/"}
    assert talk(server.port, ECHO).startswith(b"HTTP/1.1 200 ")


def test_health_is_answered_while_all_threads_are_busy(server: Server) -> None:
    held = b"GET /held HTTP/1.1\r\n" + END
    with slow_clients(server.port, 5, held) as clients:
        assert talk(server.port, HEALTH).endswith(b"/healthz")
        server.release()
        assert all(read_all(client).endswith(b"/held") for client in clients)


def test_with_too_many_connections_the_oldest_slow_one_ends(unhurried: Server) -> None:
    with slow_clients(unhurried.port, MOST * 2, b"GET ") as clients:
        assert talk(unhurried.port, HEALTH).endswith(b"/healthz")
        assert read_all(clients[0]) == b""


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /echo HTTP/1.1\nHost: a\n\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01", b"400"),
        (b"POST /echo HTTP/1.1\r\nContent-Length: +5\r\n\r\nemail", b"400"),
        (b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n", b"413"),
        (b"GET /echo HTTP/1.1\r\n" + b"X: a\r\n" * 20_000, b"431"),
    ],
)
def test_a_request_that_cannot_be_read_is_refused_at_once(
    server: Server, request_bytes: bytes, status: bytes
) -> None:
    assert talk(server.port, request_bytes)[9:12] == status


def test_requests_in_one_packet_are_answered_in_order(server: Server) -> None:
    post = b"POST /echo HTTP/1.1\r\nContent-Length: 5\r\n\r\nemail"
    chunked = b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    unread = b"POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nemail"
    answers = talk(server.port, post + chunked + unread + HEALTH).split(b"HTTP/1.1 200 OK")
    assert [answer.rpartition(b"\r\n\r\n")[2] for answer in answers] == [
        b"",
        b"5",
        b"3",
        b"/a",
        b"/healthz",
    ]


def test_nothing_behind_a_body_that_was_not_read_is_taken_for_a_request(server: Server) -> None:
    long = b"POST /a HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n"
    with connect(server.port, long) as client:
        answer = client.recv(65_536)
        client.sendall(HEALTH)
        assert (answer + read_all(client)).count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("extension", [b";a\nb", b";=", b""])
def test_a_fault_in_a_body_that_was_not_read_ends_the_connection(
    server: Server, extension: bytes
) -> None:
    head = b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"5" + extension + b"\r\nemail\r\n0\r\n\r\n"
    answers = talk(server.port, head + body + HEALTH).count(b"HTTP/1.1")
    assert answers == (1 if extension else 2)


def test_a_client_that_waits_for_a_word_gets_it_once(server: Server) -> None:
    head = b"POST /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n" + END
    with connect(server.port, head) as client:
        word = b"HTTP/1.1 100 Continue\r\n\r\n"
        assert client.recv(len(word)) == word
        client.sendall(b"email")
        answer = read_all(client)
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b"\r\n\r\n5")


def test_a_stop_waits_for_answers_and_not_for_slow_clients(unhurried: Server) -> None:
    with (
        slow_clients(unhurried.port, 20, b"GET /echo"),
        connect(unhurried.port, b"GET /held HTTP/1.1\r\n" + END) as held,
    ):
        assert talk(unhurried.port, HEALTH).endswith(b"/healthz")
        workers = unhurried.workers()
        unhurried.process.terminate()
        unhurried.process.wait_for_log("Handling signal: term")
        for worker in workers:
            os.kill(worker, signal.SIGUSR2)
        assert read_all(held).endswith(b"/held")
    assert unhurried.process.wait(20) == 0
