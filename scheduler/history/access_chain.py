"""The chain of digests over the access log: a row that was removed or changed shows. Pure.

The digest of a row is SHA-256 of the digest of the row before it and of the row's columns. Who can
write to the table and to the head can compute the whole chain anew: against that helps a head that
was noted elsewhere (`Head.from_text`).
"""

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import NamedTuple

from scheduler.errors import Refused

BEGINNING = "0" * 64
"""What stands before the first row."""

_HEAD = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")


class Content(NamedTuple):
    """The columns of a row that the digest covers."""

    number: int
    id: str
    kind: str
    at: datetime
    actor: str
    subject: str
    address: str
    detail: str


class Head(NamedTuple):
    """The number and the digest of a row; a chain without rows has number 0."""

    number: int
    digest: str

    @classmethod
    def from_text(cls, text: str) -> "Head":
        """Return the head in a text like `17:5f70…`. Raises Refused."""
        match = _HEAD.fullmatch(text.strip())
        if match is None:
            raise Refused(
                f"head: {text[:80]!r} is not a head; give NUMBER:DIGEST as an earlier "
                "`beatdesk audit verify` printed it",
                field="head",
            )
        return cls(int(match[1]), match[2])

    def __str__(self) -> str:
        return f"{self.number}:{self.digest}"


EMPTY = Head(0, BEGINNING)


def next_head(head: Head, content: Content) -> Head:
    """Return the head after a further row."""
    columns = [*content[:3], content.at.astimezone(UTC).isoformat(), *content[4:]]
    text = f"{head.digest}\n{json.dumps(columns)}"
    return Head(content.number, hashlib.sha256(text.encode()).hexdigest())
