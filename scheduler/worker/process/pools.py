"""Abilities of a worker's pool with a running job: stopping the job, holding it to time limits.

| pool | stops a running job | soft limit | hard limit |
| --- | --- | --- | --- |
| `prefork` | yes | yes | yes |
| `gevent` | a job that gives way | no | a job that gives way |
| `eventlet` | a job that gives way | no | no |
| `threads`, `solo` | no | no | no |

Read in Celery 5.7 (`celery.concurrency`). Another pool is taken for a pool without abilities.
"""

from typing import Any, NamedTuple


class PoolAbilities(NamedTuple):
    """A pool's name, and the pool's abilities with a running job."""

    name: str
    stops_jobs: bool = False
    keeps_soft_limits: bool = False
    keeps_hard_limits: bool = False

    @property
    def lacks(self) -> list[str]:
        """The missing abilities of the pool, in words."""
        return [
            text
            for is_able, text in (
                (self.stops_jobs, "stop a running job, so a cancelled job runs to its end"),
                (self.keeps_soft_limits, "keep soft time limits"),
                (self.keeps_hard_limits, "keep hard time limits"),
            )
            if not is_able
        ]

    def broken_limits(self, soft: float | None, hard: float | None) -> str:
        """Name the limits (in seconds) of a job that the pool does not keep; empty without any."""
        broken = []
        if soft and not self.keeps_soft_limits:
            broken.append(f"its soft time limit of {soft:g} s")
        if hard and not self.keeps_hard_limits:
            broken.append(f"its hard time limit of {hard:g} s")
        return " and ".join(broken)


PREFORK = PoolAbilities("prefork", True, True, True)

_POOLS = {
    "celery.concurrency.prefork": PREFORK,
    "celery.concurrency.gevent": PoolAbilities("gevent", stops_jobs=True, keeps_hard_limits=True),
    "celery.concurrency.eventlet": PoolAbilities("eventlet", stops_jobs=True),
    "celery.concurrency.thread": PoolAbilities("threads"),
    "celery.concurrency.solo": PoolAbilities("solo"),
}


def abilities_of(pool: Any) -> PoolAbilities:
    """The abilities of a worker's pool."""
    kind = type(pool)
    found = _POOLS.get(kind.__module__)
    return found or PoolAbilities(f"{kind.__module__}.{kind.__qualname__}")
