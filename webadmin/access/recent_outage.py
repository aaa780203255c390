"""The memory of an outage, so that requests do not wait for a server that has just been away."""

import time
from collections.abc import Callable


class RecentOutage:
    """Whether a server was away within the last seconds; one for the threads of a process."""

    def __init__(self, seconds: float, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._monotonic = monotonic
        self._until = float("-inf")

    def begin(self) -> None:
        """Remember from now on that the server is away."""
        self._until = self._monotonic() + self._seconds

    @property
    def is_recent(self) -> bool:
        """Whether the server was away so short a time ago that it is not asked again."""
        return self._monotonic() < self._until
