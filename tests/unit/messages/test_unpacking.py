"""A compressed body is unpacked up to a bound, and only as a whole."""

import bz2
import lzma
import zlib
from collections.abc import Callable

import pytest
from kombu import compression

from scheduler.messages import unpacking
from scheduler.worker import refused_messages

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


def test_a_dictionary_of_gigabytes_is_not_made() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 30}]
    packed = lzma.compress(b"[]", filters=filters)
    with pytest.raises(lzma.LZMAError, match="Memory usage limit"):
        unpacking.DECODERS["application/x-lzma"](packed)
    assert unpacking.DECODERS["application/x-lzma"](lzma.compress(b"[]", preset=9)) == b"[]"


def test_a_compression_without_a_bound_is_refused() -> None:
    with pytest.raises(unpacking.TooLarge, match="pack messages with gzip"):
        unpacking.decoder_of("application/x-brotli")(b"packed")


def test_every_compression_of_kombus_has_a_bound_in_a_worker() -> None:
    compression.register(bytes, bytes, "application/x-unheard-of")
    refused_messages.bound_decompression()
    with pytest.raises(unpacking.TooLarge):
        compression.decompress(b"packed", "application/x-unheard-of")
    for content_type, pack in PACKERS.items():
        assert compression.decompress(pack(b"[1, 2]"), content_type) == b"[1, 2]"
