"""Jitter: a delay after the tick, so schedules due together are not sent at once. Pure.

The tick's nominal time stays; only the moment of sending moves. Every process computes an equal
delay.
"""

from datetime import datetime

from scheduler.rules.model.identity import tick_text
from scheduler.rules.policies.backoff import fraction


def delay(uid: str, tick: datetime, jitter: float, next_tick: datetime | None) -> float:
    """Return the delay after `tick` in seconds, in [0, jitter), and before `next_tick`."""
    room = jitter if next_tick is None else min(jitter, (next_tick - tick).total_seconds())
    if room <= 0:
        return 0.0
    microseconds = int(fraction(f"{uid} {tick_text(tick)}") * room * 1_000_000)
    return microseconds / 1_000_000
