"""The names of things that are computed, not stored: ids of runs, and ids of entries that never got
one.

Two processes that see the same tick must arrive at the same id; it is the Celery task id.
"""

from datetime import UTC, datetime
from hashlib import sha1
from uuid import UUID, uuid5

NAMESPACE = UUID("6f0a3c1e-2f43-5a0e-9c56-8d3f4a9f7f10")
"""The root of ids of entries that plain RedBeat code wrote. It must never change: history refers to
it.
"""

_VARIANT = ["89ab"[byte >> 4 & 3] for byte in range(256)]
"""How the ninth byte's text begins, by that byte."""


def run_id(uid: str, tick: datetime) -> str:
    """The id of the run of the schedule `uid` for `tick`."""
    return run_id_within(UUID(uid).bytes, tick_text(tick))


def run_id_within(uid: bytes, tick: str) -> str:
    """The same from the uid's bytes and the tick's text (`tick_text`)."""
    return uuid_text(sha1(uid + tick.encode(), usedforsecurity=False).digest(), 5)


def plain_uid(name: str) -> str:
    """The id of a schedule that has none of its own, from its name."""
    return str(uuid5(NAMESPACE, name))


def uuid_text(noise: bytes, version: int) -> str:
    """A UUID of RFC 9562, section 5: `noise` but for version and variant."""
    text = noise[:16].hex()
    variant = _VARIANT[noise[8]]
    return f"{text[:8]}-{text[8:12]}-{version}{text[13:16]}-{variant}{text[17:20]}-{text[20:32]}"


def tick_text(tick: datetime) -> str:
    """A moment as RFC 3339 in UTC with `Z`; fractions only where there are any."""
    return tick.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
