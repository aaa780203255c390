"""The clock, read by roots only: commands, views, signal handlers and loops, which pass
`now` on.
"""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the current time as an aware datetime in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - this is the place
