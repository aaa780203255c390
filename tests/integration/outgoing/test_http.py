"""Requests to real servers on loopback, which a test's setting opens."""

import gzip
import logging
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest

from scheduler.errors import Refused
from scheduler.outgoing.addresses import target_of
from scheduler.outgoing.connection import connection_over, exchange
from scheduler.outgoing.http import LARGEST, Answer, Request, Unanswered, ask
from scheduler.settings.http_allowlist import Opened, opened
from tests.support.listeners import Listener, certificate, listening, says
from tests.support.outgoing.requests import LOOPBACK, SECONDS, at, get
from tests.support.ports import free_port


def test_the_request_says_what_it_is_to_say_and_the_answer_is_read() -> None:
    with listening(says("201 Created", b'{"a": 1}', "Content-Type: application/json")) as server:
        target = at(server.port, "/hook?x=1")
        answer = ask(Request("POST", target, {"X-Token": "hush"}, b"body"), LOOPBACK)
    assert (answer.status, answer.reason, answer.body, answer.cut) == (
        201,
        "Created",
        b'{"a": 1}',
        False,
    )
    assert (answer.content_type, answer.address) == ("application/json", "127.0.0.1")
    head, _, body = server.requests[0].partition("\r\n\r\n")
    lines = head.split("\r\n")
    assert lines[0] == "POST /hook?x=1 HTTP/1.1"
    assert f"Host: 127.0.0.1:{server.port}" in lines
    assert "X-Token: hush" in lines
    assert body == "body"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://localhost:1/",
        "http://[::1]:1/",
        "http://[::ffff:127.0.0.1]:1/",
    ],
)
def test_what_is_not_opened_is_not_asked(url: str) -> None:
    with pytest.raises(Refused, match="HTTP_ALLOW"):
        ask(Request("GET", target_of(url)), Opened())


def test_a_name_that_answers_otherwise_the_next_time_is_asked_once_and_the_judged_address_is_used() -> (
    None
):
    answers = [["127.0.0.2"], ["127.0.0.1"]]
    inner = Listener(says("200 OK", b"inner"))
    with listening(says("200 OK", b"outer"), host="127.0.0.2", port=inner.port) as outer:
        try:
            answer = ask(
                Request("GET", at(outer.port, host="rebound.example")),
                opened(["127.0.0.2"]),
                lookup=lambda host, port: answers.pop(0),
            )
        finally:
            inner.stop()
    assert answer.body == b"outer"
    assert answers == [["127.0.0.1"]]
    assert f"Host: rebound.example:{outer.port}" in outer.requests[0]
    assert inner.requests == []


def test_a_name_with_one_address_inside_is_not_asked_at_all() -> None:
    with (
        listening(says("200 OK"), host="127.0.0.2") as server,
        pytest.raises(Refused, match=r"127\.0\.0\.1 is not"),
    ):
        ask(
            Request("GET", at(server.port, host="both.example")),
            opened(["127.0.0.2"]),
            lookup=lambda host, port: ["127.0.0.2", "127.0.0.1"],
        )
    assert server.requests == []


def test_the_next_judged_address_is_tried_where_the_first_takes_no_connection() -> None:
    with listening(says("200 OK"), host="127.0.0.2") as server:
        answer = ask(
            Request("GET", at(server.port, host="two.example")),
            LOOPBACK,
            lookup=lambda *_: ["127.0.0.3", "127.0.0.2"],
        )
    assert answer.address == "127.0.0.2"


def test_a_redirect_is_an_answer_and_nobody_goes_there() -> None:
    with listening(says("200 OK")) as inner:
        place = f"Location: http://127.0.0.1:{inner.port}/latest/meta-data"
        with listening(says("302 Found", b"", place)) as server:
            answer = get(server)
        assert inner.requests == []
    assert answer.status == 302


def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        listening(says("200 OK", b"proxy")) as proxy,
        listening(says("200 OK", b"direct")) as server,
    ):
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert get(server).body == b"direct"
    assert proxy.requests == []


def test_a_huge_answer_is_cut_and_the_rest_is_not_read() -> None:
    sent: list[int] = []

    def flood(connection: socket.socket, over: Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while not over.is_set():
            sent.append(connection.send(b"x" * 65_536))

    with listening(flood) as server:
        answer = get(server)
    assert (len(answer.body), answer.cut) == (LARGEST, True)
    assert sum(sent) < 50_000_000


def test_nobody_who_listens_is_a_clear_refusal() -> None:
    with pytest.raises(Unanswered, match=r"http://127\.0\.0\.1:\d+: the connection was refused"):
        ask(Request("GET", at(free_port(), "/secret-path")), LOOPBACK)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"", "closed the connection without an answer"),
        (b"220 smtp.example.org ESMTP\r\n", "the answer is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "in the middle of its answer"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200, "the answer is not HTTP"),
    ],
)
def test_what_is_no_whole_answer_is_said_so(said: bytes, words: str) -> None:
    with (
        listening(lambda connection, over: connection.sendall(said)) as server,
        pytest.raises(Unanswered, match=words),
    ):
        get(server)


def test_a_name_that_nobody_knows_is_said_so() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(Unanswered, match="the name cannot be looked up: Name or service not known"):
        ask(Request("GET", at(1, host="nowhere.invalid")), LOOPBACK, lookup=unknown)


def test_the_certificate_must_be_that_of_the_name(tmp_path: Path) -> None:
    server_side, file = certificate(tmp_path, "shop.example")
    trust = ssl.create_default_context(cafile=str(file))
    with listening(says("200 OK", b"over TLS"), tls=server_side) as server:

        def over_tls(host: str, trusted: ssl.SSLContext | None) -> Answer:
            target = at(server.port, host=host, scheme="https")
            return ask(
                Request("GET", target), LOOPBACK, lookup=lambda *_: ["127.0.0.1"], trust=trusted
            )

        assert over_tls("shop.example", trust).body == b"over TLS"
        with pytest.raises(
            Unanswered, match="the certificate is not valid for it: Hostname mismatch"
        ):
            over_tls("other.example", trust)
        with pytest.raises(Unanswered, match="the certificate is not valid for it: self"):
            over_tls("shop.example", None)
        with pytest.raises(Unanswered, match="the certificate is not valid"):
            over_tls("127.0.0.1", trust)


def test_a_server_that_hangs_up_is_asked_once() -> None:
    with (
        listening(lambda connection, over: None) as server,
        pytest.raises(Unanswered, match="without an answer"),
    ):
        get(server)
    assert len(server.requests) == 1


def test_nothing_is_sent_that_was_not_given() -> None:
    with listening(says("200 OK")) as server:
        get(server)
        ask(Request("POST", at(server.port)), LOOPBACK)
        ask(
            Request("GET", at(server.port), {"user-agent": "mine", "Accept-Encoding": "br"}),
            LOOPBACK,
        )
    names = [
        {line.partition(":")[0].lower() for line in head.splitlines()[1:] if line}
        for head in server.requests
    ]
    assert names[0] == {"host", "accept-encoding"}
    assert names[1] == {"host", "accept-encoding", "content-length"}
    assert names[2] == {"host", "accept-encoding", "user-agent"}
    assert "Accept-Encoding: identity" in server.requests[0]


@pytest.mark.parametrize(
    "path", ["/a/../b//c", "/%2f%2F%zz?q=%e4&[x]={y}|z&u=http://a/", "/;p?", "//other.example/x"]
)
def test_the_path_is_sent_as_it_stands_in_the_address(path: str) -> None:
    with listening(says("200 OK")) as server:
        get(server, path)
    assert server.requests[0].startswith(f"GET {path.removesuffix('?')} HTTP/1.1\r\n")


def test_a_packed_answer_is_not_unpacked() -> None:
    """A megabyte of zeros has a kilobyte when it is packed."""
    packed = gzip.compress(bytes(1_000_000))
    with listening(says("200 OK", packed, "Content-Encoding: gzip")) as server:
        answer = get(server)
    assert (answer.body, answer.cut) == (packed, False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X", "a\r\nHost: inner"),
        ("X", "a\r\n folded"),
        ("X", "a\n\tfolded"),
        ("X", "a\nb"),
        ("X", "a\rb"),
        ("X", "a\x00b"),
        ("X", "snow \u2603"),
        ("X: y\r\nHost", "inner"),
        ("X\r\n", "a"),
        ("X Y", "a"),
        ("", "a"),
    ],
)
def test_a_header_that_would_begin_another_one_is_not_sent(name: str, value: str) -> None:
    with (
        listening(says("200 OK")) as server,
        pytest.raises(Refused, match=r"^headers: ") as refused,
    ):
        ask(Request("GET", at(server.port), {name: value}), LOOPBACK)
    assert server.requests == []
    assert "Host: inner" not in str(refused.value)
    assert "folded" not in str(refused.value)


def test_a_method_that_would_begin_another_request_is_not_sent() -> None:
    with listening(says("200 OK")) as server:
        with pytest.raises(ValueError, match="non-token"):
            ask(Request("GET / HTTP/1.1\r\nHost: inner\r\n\r\nGET", at(server.port)), LOOPBACK)
        get(server)
    assert "inner" not in "".join(server.requests)


def test_the_name_is_sent_in_the_handshake_and_a_plain_address_is_not(tmp_path: Path) -> None:
    server_side, file = certificate(tmp_path, "shop.example")
    names: list[str | None] = []
    server_side.sni_callback = lambda connection, name, context: names.append(name)
    trust = ssl.create_default_context(cafile=str(file))
    with listening(says("200 OK"), tls=server_side) as server:
        for host in ("shop.example", "shop.example."):
            request = Request("GET", at(server.port, host=host, scheme="https"))
            ask(request, LOOPBACK, lookup=lambda *_: ["127.0.0.1"], trust=trust)
        with pytest.raises(Unanswered, match="the certificate is not valid"):
            ask(Request("GET", at(server.port, scheme="https")), LOOPBACK, trust=trust)
    assert names == ["shop.example", "shop.example", None]


@pytest.mark.parametrize(
    "head",
    [
        "no header at all",
        "X\x00: y",
        ": z",
        "Content-Length: 1\r\nContent-Length: 2",
        "Content-Encoding: " + "gzip," * 50,
    ],
)
def test_neither_path_nor_query_is_logged_or_repeated_whatever_comes(
    head: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    def behave(connection: socket.socket, over: Event) -> None:
        connection.sendall(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\nx".encode())

    with listening(behave) as server:
        try:
            outcome = repr(get(server, "/hook/hush-path?token=hush-query"))
        except Unanswered as error:
            outcome = str(error)
    assert "hush-path" in server.requests[0]
    assert "hush" not in outcome + caplog.text


def test_two_lengths_that_differ_are_no_answer() -> None:
    """Where the body ends, two readers would see differently."""
    two = says("200 OK", b"abc", "Content-Length: 2")
    with listening(two) as server, pytest.raises(Unanswered, match="the answer is not HTTP"):
        get(server)


def test_the_library_is_loaded_with_the_first_request() -> None:
    program = "import sys, scheduler.outgoing.http; print('urllib3' in sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "False"


def test_a_connection_that_is_closed_is_not_opened_again() -> None:
    """urllib3 would look the name up a second time, and nobody would judge what it finds."""
    with (
        listening(says("200 OK")) as server,
        socket.create_connection(("127.0.0.1", server.port)) as sock,
    ):
        connection = connection_over(sock, at(server.port, host="rebound.example"), SECONDS, None)
        connection.close()
        with pytest.raises(ConnectionResetError):
            exchange(connection, "GET", {}, None)
