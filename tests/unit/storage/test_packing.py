"""Names that are no UTF-8 are sent to Redis as they were read."""

import pytest

from scheduler.storage.packing import EscapingPacker


def test_bytes_that_are_no_utf8_are_sent_as_they_were_read() -> None:
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    command = EscapingPacker().pack("HDEL", "key", name, b"\xff", 7)
    assert b"".join(command) == (
        b"*5\r\n$4\r\nHDEL\r\n$3\r\nkey\r\n$4\r\ncaf\xe9\r\n$1\r\n\xff\r\n$1\r\n7\r\n"
    )


def test_half_of_a_character_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        EscapingPacker().pack("GET", "\ud800")
