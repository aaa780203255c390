"""Computed ids: of runs, and of schedules written by plain RedBeat code.

Every process must compute one id for one tick; the id of a run is the Celery task id.
"""

from datetime import UTC, datetime
from hashlib import sha1
from uuid import UUID, uuid5

NAMESPACE = UUID("6f0a3c1e-2f43-5a0e-9c56-8d3f4a9f7f10")
"""The UUID namespace of entries written by plain RedBeat code. Must never change: the history has
these ids.
"""

_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
"""The hexadecimal digit of the UUID variant, by the seventeenth digit."""


def run_id(uid: str, tick: datetime) -> str:
    """Return the id of the run of the schedule `uid` for `tick`: a UUID of version 5."""
    return run_id_within(UUID(uid).bytes, tick_text(tick))


def run_id_within(uid: bytes, tick: str) -> str:
    """Return `run_id` from the bytes of the uid and the text of the tick (`tick_text`)."""
    return uuid_text(sha1(uid + tick.encode(), usedforsecurity=False).hexdigest(), 5)


def plain_uid(name: str) -> str:
    """Return the uid of an entry without a stored uid, derived from the name."""
    return str(uuid5(NAMESPACE, name))


def uuid_text(noise: str, version: int) -> str:
    """Return a UUID (RFC 9562, section 5) made of the first 32 hexadecimal digits of `noise`, with
    version and variant set.
    """
    return (
        f"{noise[:8]}-{noise[8:12]}-{version}{noise[13:16]}-"
        f"{_VARIANT[noise[16]]}{noise[17:20]}-{noise[20:32]}"
    )


def tick_text(tick: datetime) -> str:
    """Return a moment as RFC 3339 text in UTC with `Z`; fractions only where not zero."""
    return tick.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
