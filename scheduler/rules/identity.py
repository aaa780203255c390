"""The names of things that are computed, not stored: ids of runs, and ids of entries that never got one.

Two processes that see the same tick must arrive at the same id; it is the Celery task id.
"""

from datetime import UTC, datetime
from hashlib import sha1
from uuid import UUID, uuid5

NAMESPACE = UUID("6f0a3c1e-2f43-5a0e-9c56-8d3f4a9f7f10")
"""The root of ids of entries that plain RedBeat code wrote. It must never change: history refers to it."""


def run_id(uid: str, tick: datetime) -> str:
    """The id of the run of the schedule `uid` for `tick`."""
    return _uuid5(UUID(uid).bytes, tick_text(tick))


def plain_uid(name: str) -> str:
    """The id of a schedule that has none of its own, from its name."""
    return str(uuid5(NAMESPACE, name))


def _uuid5(namespace: bytes, name: str) -> str:
    """The text of `uuid.uuid5` (RFC 9562), in a third of its time: Beat asks for each run."""
    digest = bytearray(sha1(namespace + name.encode(), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def tick_text(tick: datetime) -> str:
    """A moment as RFC 3339 in UTC with `Z`; fractions only where there are any."""
    return tick.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
