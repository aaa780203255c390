"""Bytes of a request that is arriving, and whether it is whole. Pure.

A request is given to a thread when it is whole, so that no thread waits for a client. What is
decided here is only when that is: where a request ends is read by gunicorn's parser, and a request
about which there is any doubt is given to it at once, to be refused.
"""

import re
from enum import Enum

from webadmin.front.lengths import LARGEST_BODY

LARGEST_HEAD = 64_000
"""Bytes of the request line and all headers; `front.lengths` refuses fewer, with a page."""

LARGEST_CHUNKED = 2 * LARGEST_BODY
"""Bytes of a body in chunks, with the sizes of its chunks."""

CHUNK_LINE = 200
"""Bytes of the line with the size of a chunk."""

_BARE_LINE_FEED = re.compile(rb"(?<!\r)\n")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([^\r\n]*)", re.IGNORECASE)
_ENCODING = re.compile(rb"\r\ntransfer-encoding:[ \t]*([^\r\n]*)", re.IGNORECASE)
_CONTINUE = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*\r\n", re.IGNORECASE)
_DIGITS = re.compile(rb"[0-9]{1,15}")
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]*)?")


class Stage(Enum):
    """How far a request has arrived."""

    SILENT = "nothing has arrived"
    HEAD = "the head is arriving"
    BODY = "the body is arriving"
    WHOLE = "all of it is there"
    DOUBTFUL = "the parser must see it now, and the connection ends with the answer"
    LONG_HEAD = "the head is too long"
    LONG_BODY = "the body is too long"


class Arrival:
    """A request that is arriving."""

    def __init__(self) -> None:
        self.stage = Stage.SILENT
        self.data = bytearray()
        self.body_length = 0
        """Bytes of the body as declared; LARGEST_BODY for a body in chunks."""
        self._head_end = 0
        self._searched = 0
        self._chunks: _Chunks | None = None

    @property
    def head(self) -> bytes:
        """Return the head with its empty line; empty before it is whole."""
        return bytes(self.data[: self._head_end])

    @property
    def body(self) -> bytes:
        """Return what follows the head: the body, and perhaps the beginning of more requests."""
        return bytes(self.data[self._head_end :])

    @property
    def waits_for_continue(self) -> bool:
        """Whether the client wants a word (`Expect: 100-continue`) before it sends the body."""
        return self.stage is Stage.BODY and _CONTINUE.search(self.head) is not None

    def feed(self, data: bytes) -> Stage:
        """Append bytes. Returns the stage, which changes no more after WHOLE."""
        self.data += data
        if self.data and self.stage is Stage.SILENT:
            self.stage = Stage.HEAD
        if self.stage is Stage.HEAD:
            self.stage = self._read_head()
        if self.stage is Stage.BODY:
            self.stage = self._read_body()
        return self.stage

    def _read_head(self) -> Stage:
        if not (self.data[:1].isupper() or self.data[:1] == b"\r"):
            return Stage.DOUBTFUL
        end = self.data.find(b"\r\n\r\n", max(0, self._searched - 3))
        if _BARE_LINE_FEED.search(self.data, self._searched, len(self.data) if end < 0 else end):
            return Stage.DOUBTFUL
        self._searched = len(self.data)
        if end > LARGEST_HEAD or (end < 0 and len(self.data) > LARGEST_HEAD):
            return Stage.LONG_HEAD
        if end < 0:
            return Stage.HEAD
        self._head_end = end + 4
        return self._read_framing()

    def _read_framing(self) -> Stage:
        """Return BODY, or DOUBTFUL for headers about the length that say two things or nothing."""
        head = self.head
        lengths = _LENGTH.findall(head)
        encodings = _ENCODING.findall(head)
        if not lengths and not encodings:
            return Stage.BODY
        if len(lengths) + len(encodings) > 1:
            return Stage.DOUBTFUL
        if encodings:
            self.body_length = LARGEST_BODY
            self._chunks = _Chunks(self._head_end)
            return Stage.BODY if encodings[0].strip().lower() == b"chunked" else Stage.DOUBTFUL
        length = lengths[0].strip(b" \t")
        if not _DIGITS.fullmatch(length):
            return Stage.DOUBTFUL
        self.body_length = int(length)
        # The application refuses a long body by its length, with a page, and reads nothing of it.
        return Stage.BODY if self.body_length <= LARGEST_BODY else Stage.DOUBTFUL

    def _read_body(self) -> Stage:
        if self._chunks is not None:
            return self._chunks.advance(self.data)
        is_whole = len(self.data) - self._head_end >= self.body_length
        return Stage.WHOLE if is_whole else Stage.BODY


class _Chunks:
    """A body in chunks: `at` is the start of the first chunk that is not whole."""

    def __init__(self, start: int) -> None:
        self._start = start
        self._at = start
        self._size = 0

    def advance(self, data: bytearray) -> Stage:
        """Skip whole chunks. Returns the stage of the request."""
        while True:
            end = data.find(b"\r\n", self._at, self._at + CHUNK_LINE)
            if end < 0:
                is_long = len(data) - self._at >= CHUNK_LINE
                return Stage.DOUBTFUL if is_long else self._unfinished(data)
            match = _CHUNK_SIZE.fullmatch(data, self._at, end)
            if match is None:
                return Stage.DOUBTFUL
            size = int(match[1], 16)
            if size == 0:
                # Trailers, if there are any, and an empty line.
                is_whole = data.find(b"\r\n\r\n", end) >= 0
                return Stage.WHOLE if is_whole else self._unfinished(data)
            if self._size + size > LARGEST_BODY:
                return Stage.LONG_BODY
            after = end + 2 + size + 2
            if len(data) < after:
                return self._unfinished(data)
            self._size += size
            self._at = after

    def _unfinished(self, data: bytearray) -> Stage:
        is_long = len(data) - self._start > LARGEST_CHUNKED
        return Stage.LONG_BODY if is_long else Stage.BODY
