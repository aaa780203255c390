"""A compressed body is unpacked up to a bound, and only as a whole."""

import bz2
import lzma
import zlib
from collections.abc import Callable

import pytest

from scheduler.messages import unpacking

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "application/x-gzip": zlib.compress,
    "application/x-bz2": bz2.compress,
    "application/x-lzma": lzma.compress,
}


@pytest.mark.parametrize("content_type", PACKERS)
def test_a_body_is_unpacked_as_a_whole_or_not_at_all(content_type: str) -> None:
    packed = PACKERS[content_type](b"[1, 2]" * 1000)
    unpack = unpacking.DECODERS[content_type]
    assert unpack(packed) == b"[1, 2]" * 1000
    with pytest.raises(EOFError, match="cut off"):
        unpack(packed[:-3])


@pytest.mark.parametrize("content_type", PACKERS)
def test_a_body_may_be_as_large_as_the_bound_and_no_larger(
    monkeypatch: pytest.MonkeyPatch, content_type: str
) -> None:
    monkeypatch.setattr(unpacking, "MOST_BYTES", 100_000)
    unpack = unpacking.DECODERS[content_type]
    largest = bytes(100_000)
    assert unpack(PACKERS[content_type](largest)) == largest
    with pytest.raises(unpacking.TooLarge, match="more than 100000 bytes"):
        unpack(PACKERS[content_type](largest + b"x"))
