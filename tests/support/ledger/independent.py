"""What the ledger should say of a life of a schedule, calculated minute by minute and independently
of the product's rules: with flags and lists only.
"""

from datetime import datetime, timedelta

from tests.support.ledger.lives import MINUTE, Plot

ON_TIME_SECONDS = 10
GRACE_MINUTES = 2


def expected(plot: Plot, begin: datetime) -> tuple[dict[datetime, str], set[datetime]]:
    """The verdict of each tick, and the ticks of which nothing need be said yet at the end."""
    walk = _Walk(plot, begin)
    for minute in range(plot.minutes):
        walk.step(minute)
    maybe = walk.end()
    certain = {
        begin + tick * MINUTE: word for tick, word in walk.verdicts.items() if tick not in maybe
    }
    return certain, {begin + tick * MINUTE for tick in maybe}


class _Walk:
    """The flags of a minute, the verdicts so far, and the ticks that wait for Beat."""

    def __init__(self, plot: Plot, begin: datetime) -> None:
        self.verdicts: dict[int, str] = {}
        self._plot = plot
        self._begin = begin
        self._waiting: list[int] = []
        self._exists = False
        self._is_on = True
        self._is_paused = False
        self._pause_ends: int | None = None
        self._every = plot.step
        self._is_beat_there = True
        self._away_since = -1

    def step(self, minute: int) -> None:
        """Live through one minute."""
        if self._is_paused and self._pause_ends is not None and minute > self._pause_ends:
            # It ended in the middle of the minute before this one.
            self._is_paused, self._pause_ends = False, None
            self._return(minute, second=0)
        if self._exists and (self._begin + minute * MINUTE).minute % self._every == 0:
            self._tick(minute)
        if minute in self._plot.outages:
            self._is_beat_there = not self._is_beat_there
            self._away_since = minute
            if not self._is_paused:
                self._return(minute, second=16)
        if minute in self._plot.actions:
            kind, number = self._plot.actions[minute]
            if getattr(self, f"_{kind}")(minute, number):
                self._settle()

    def end(self) -> set[int]:
        """Judge what waits for Beat at the end. Returns the ticks that are too young to be seen."""
        newest = self._plot.minutes - 1
        # The last look is 45 s into the last minute; Beat counts as away after half a minute.
        is_noticed = self._away_since < newest or newest not in self._plot.outages
        maybe = {
            tick
            for tick, word in self.verdicts.items()
            if newest - tick <= GRACE_MINUTES and word.startswith("skipped")
        }
        for tick in self._waiting:
            if newest - tick >= GRACE_MINUTES and is_noticed:
                self.verdicts[tick] = "missed: scheduler_down"
            else:
                maybe.add(tick)
        return maybe

    def _tick(self, minute: int) -> None:
        if not self._is_on:
            self.verdicts[minute] = "skipped: disabled"
        elif self._is_paused:
            self.verdicts[minute] = "skipped: paused"
        elif self._is_beat_there:
            self.verdicts[minute] = "queued"
        else:
            self._waiting.append(minute)

    def _return(self, minute: int, *, second: int) -> None:
        """Beat may be there again: what it makes of the ticks that waited for it."""
        if not self._is_beat_there:
            return
        now = timedelta(minutes=minute, seconds=second)
        ages = {tick: (now - timedelta(minutes=tick)).total_seconds() for tick in self._waiting}
        inside = [tick for tick in self._waiting if ages[tick] <= self._plot.window_minutes * 60]
        for tick in self._waiting:
            self.verdicts[tick] = self._caught_up(tick, ages[tick], inside)
        self._waiting = []

    def _caught_up(self, tick: int, age: float, inside: list[int]) -> str:
        if tick not in inside:
            return "missed: deadline"
        if self._plot.catch_up == "latest":
            return "queued" if tick == inside[-1] else "missed: coalesced"
        return "missed: scheduler_down" if age > ON_TIME_SECONDS else "queued"

    def _settle(self) -> None:
        for tick in self._waiting:
            self.verdicts[tick] = "missed: scheduler_down"
        self._waiting = []

    def _create(self, minute: int, number: int) -> bool:
        if not self._exists:
            self._exists, self._is_on, self._is_paused = True, True, False
            self._pause_ends, self._every = None, self._plot.step
        return False

    def _pause(self, minute: int, number: int) -> bool:
        return self._pause_until(None)

    def _pause_for(self, minute: int, number: int) -> bool:
        return self._pause_until(minute + number)

    def _pause_until(self, ends: int | None) -> bool:
        if not self._exists or not self._is_on:
            return False
        was_paused = self._is_paused
        self._is_paused, self._pause_ends = True, ends
        return not was_paused

    def _resume(self, minute: int, number: int) -> bool:
        was_paused = self._exists and self._is_paused
        if was_paused:
            self._is_paused, self._pause_ends = False, None
        return was_paused

    def _off(self, minute: int, number: int) -> bool:
        return self._switch(False)

    def _on(self, minute: int, number: int) -> bool:
        return self._switch(True)

    def _switch(self, is_on: bool) -> bool:
        changes = self._exists and self._is_on != is_on
        if changes:
            self._is_on = is_on
        return changes

    def _edit(self, minute: int, number: int) -> bool:
        changes = self._exists and number != self._every
        if changes:
            self._every = number
        return changes

    def _delete(self, minute: int, number: int) -> bool:
        existed = self._exists
        self._exists = False
        return existed
