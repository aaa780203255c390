"""Requests that arrive in pieces: when they are whole, and when they are refused."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webadmin.front.lengths import LARGEST_BODY
from webadmin.sockets.arrival import LARGEST_CHUNKED, LARGEST_HEAD, Arrival, Stage

HEAD = b"POST /login HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

WHOLE = (
    b"GET / HTTP/1.1\r\n\r\n",
    b"\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    HEAD + b"Content-Length: 0\r\n\r\n",
    HEAD + b"content-length:5\r\n\r\nemail",
    CHUNKED + b"0\r\n\r\n",
    CHUNKED + b"5\r\nemail\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
    CHUNKED + b"5\r\n0\r\n\r\n\r\n0\r\nX-Trailer: a\r\n\r\n",
)

DOUBTFUL = (
    b"\x16\x03\x01\x02\x00",
    b"get / HTTP/1.1",
    b"GET / HTTP/1.1\nHost: localhost\n\n",
    HEAD + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nemail",
    HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nemail",
    HEAD + b"Content-Length: +5\r\n\r\nemail",
    HEAD + b"Content-Length: \r\n\r\nemail",
    HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
    HEAD + b"Content-Length: %d\r\n\r\n" % (LARGEST_BODY + 1),
    CHUNKED + b"-5\r\nemail\r\n",
    CHUNKED + b"0x5\r\nemail\r\n",
    CHUNKED + b"5" + b" " * 300,
)


@pytest.mark.parametrize("request_bytes", WHOLE)
def test_a_request_is_whole_with_its_last_byte_and_not_before(request_bytes: bytes) -> None:
    arrival = Arrival()
    stages = [arrival.feed(bytes([byte])) for byte in request_bytes]
    assert stages[-1] is Stage.WHOLE
    assert set(stages[:-1]) <= {Stage.HEAD, Stage.BODY}
    assert arrival.head + arrival.body == request_bytes


@given(st.sampled_from(WHOLE), st.lists(st.integers(0, 200)))
def test_pieces_of_any_length_make_the_same_request(request_bytes: bytes, cuts: list[int]) -> None:
    arrival = Arrival()
    places = sorted({0, *cuts, len(request_bytes)})
    for start, end in itertools.pairwise(places):
        arrival.feed(request_bytes[start:end])
    assert arrival.stage is Stage.WHOLE


@pytest.mark.parametrize("request_bytes", DOUBTFUL)
def test_a_request_about_which_there_is_doubt_waits_for_nothing(request_bytes: bytes) -> None:
    assert Arrival().feed(request_bytes) is Stage.DOUBTFUL


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    assert Arrival().feed(data) in Stage
    assert Arrival().feed(CHUNKED + data) in Stage


def test_a_head_without_an_end_is_too_long_some_time() -> None:
    arrival = Arrival()
    arrival.feed(HEAD)
    stages = [arrival.feed(b"X: " + b"a" * 1000 + b"\r\n") for _ in range(LARGEST_HEAD // 1000)]
    assert stages[-1] is Stage.LONG_HEAD


@pytest.mark.parametrize(
    "body",
    [
        b"%x\r\n" % (LARGEST_BODY + 1),
        b"%x\r\n%b\r\n2\r\n" % (LARGEST_BODY - 1, b"a" * (LARGEST_BODY - 1)),
        b"1\r\na\r\n" * (LARGEST_CHUNKED // 6 + 1),
    ],
)
def test_a_body_in_chunks_is_too_long_by_its_bytes_and_by_its_chunks(body: bytes) -> None:
    assert Arrival().feed(CHUNKED + body) is Stage.LONG_BODY


def test_a_client_that_waits_for_a_word_before_the_body_is_found() -> None:
    arrival = Arrival()
    arrival.feed(HEAD + b"Expect: 100-Continue\r\nContent-Length: 5\r\n\r\n")
    assert arrival.waits_for_continue
    arrival.feed(b"email")
    assert not arrival.waits_for_continue


def test_what_follows_a_request_is_not_of_it() -> None:
    arrival = Arrival()
    assert arrival.feed(WHOLE[3] + WHOLE[0]) is Stage.WHOLE
    assert arrival.body == b"email" + WHOLE[0]
