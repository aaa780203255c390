"""The largest message, and decompression up to it: no message may fill the worker's memory."""

import bz2
import lzma
import zlib
from collections.abc import Callable
from importlib import import_module
from typing import Any

from scheduler.errors import BeatdeskError

MOST_BYTES = 16 * 1024 * 1024
"""Most bytes of a message, and of a body after decompression: as RabbitMQ 4 has it by default.

Arguments of 16 MB, read as JSON, take some hundred megabytes of a worker.
"""


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


def refuse(body: bytes) -> bytes:
    """Refuse a body in a compression that cannot be unpacked with a bound. Raises TooLarge."""
    raise TooLarge(
        f"the body of {len(body)} bytes is packed in a way that has no bound; pack messages with "
        "gzip, bz2, lzma or zstd"
    )


def decoder_of(content_type: str) -> Callable[[bytes], bytes]:
    """Return a decoder with a bound for a content type of kombu's compressions.

    kombu knows further ones where their packages are installed: zstandard has a bound of its own,
    and all others are refused.
    """
    if content_type in DECODERS:
        return DECODERS[content_type]
    zstd = _zstd() if content_type == "application/zstd" else None
    return refuse if zstd is None else bounded(zstd.ZstdDecompressor)


def _zstd() -> Any:
    """Return the module of the standard library, or its backport; None without both."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return import_module(name)
        except ImportError:
            continue
    return None


def _lzma() -> lzma.LZMADecompressor:
    """Return a decompressor that refuses a body whose dictionary takes more than LZMA_BYTES."""
    return lzma.LZMADecompressor(memlimit=LZMA_BYTES)


LZMA_BYTES = 128 * 1024 * 1024
"""Most bytes for unpacking lzma: its highest level needs 65 MB, a hostile header asks for 4 GB."""

DECODERS = {
    "application/x-gzip": bounded(zlib.decompressobj),
    "application/x-bz2": bounded(bz2.BZ2Decompressor),
    "application/x-lzma": bounded(_lzma),
}
"""Bounded decoders of the compressions of the standard library, by kombu's content type."""
