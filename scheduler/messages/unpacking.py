"""Decompression of messages with a bound: a small body must not fill the worker's memory."""

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import Any

from scheduler.errors import BeatdeskError

MOST_BYTES = 64 * 1024 * 1024
"""Most bytes of a body after decompression."""


class TooLarge(BeatdeskError):
    """The body is larger than `MOST_BYTES`."""


def bounded(make: Callable[[], Any]) -> Callable[[bytes], bytes]:
    """Return a function that decompresses, with at most `MOST_BYTES` of output.

    `make` returns a new decompressor of the standard library. The function raises TooLarge,
    EOFError for a body that is cut off, and the decompressor's own errors for a damaged one.
    """

    def unpack(body: bytes) -> bytes:
        decompressor = make()
        output: bytes = decompressor.decompress(body, MOST_BYTES + 1)
        if len(output) > MOST_BYTES:
            raise TooLarge(f"the body has more than {MOST_BYTES} bytes when it is unpacked")
        if not decompressor.eof:
            raise EOFError("the packed body is cut off")
        return output

    return unpack


DECODERS = {
    "application/x-gzip": bounded(zlib.decompressobj),
    "application/x-bz2": bounded(bz2.BZ2Decompressor),
    "application/x-lzma": bounded(lzma.LZMADecompressor),
}
"""Bounded decoders of the compressions of the standard library, by kombu's content type.

kombu's others, brotli and zstandard, are there only where they are installed, and have no bound.
"""
