"""The one place that reads the clock. Roots call it (commands, views, signal handlers, loops) and
pass `now` on.
"""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - this is the place
