"""Lateness of messages with five hundred due schedules each second, evenly spread.

Each schedule is due every ten seconds. Lateness counts from the grid of the first due time, so that
a drifting scheduler gets later and later. A lost run counts as lateness of the next run.
"""

import base64
import json
from collections import Counter
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Any

from scheduler.clock import utc_now
from tests.bench.beat_contenders import QUEUE
from tests.bench.beat_stage import (
    Failed,
    Stage,
    answer_of,
    candidates,
    report_failure,
    stage,
    title,
)
from tests.bench.figures import shown, table

EVERY = 10.0
SETTLE = timedelta(seconds=3)
"""Time for a scheduler to settle; earlier ticks are not counted."""


class Arrivals(Thread):
    """Reader of the queue that records the arrival of each message."""

    def __init__(self, here: Stage) -> None:
        super().__init__(daemon=True)
        self._redis: Any = here.server.client()
        self.over = Event()
        self.found: list[tuple[datetime, str]] = []

    def run(self) -> None:
        """Read messages until the end of the measurement."""
        while not self.over.is_set():
            answer = self._redis.blmpop(0.5, 1, QUEUE, direction="RIGHT", count=1000)
            if answer:
                now = utc_now()
                self.found += [(now, text) for text in answer[1]]
        self._redis.close()


def lateness(
    found: list[tuple[datetime, str]], first: datetime, count: int, until: datetime
) -> list[float]:
    """Return the seconds behind the grid, for each message due within the measured time."""
    arrivals: Counter[int] = Counter()
    late = []
    for arrived, text in found:
        number = json.loads(base64.b64decode(json.loads(text)["body"]))[0][0]
        due = first + timedelta(seconds=EVERY * (number / count + arrivals[number]))
        arrivals[number] += 1
        if due <= until:
            late.append((arrived - due).total_seconds())
    return sorted(late)


def measured(key: str, rate: int, seconds: float) -> list[str] | None:
    """Return one contender's row."""
    count = int(rate * EVERY)
    try:
        with stage(key) as here:
            # Filled first, with an estimate of the time for filling; a contender not ready by then
            # starts with overdue schedules.
            first = utc_now() + SETTLE + timedelta(seconds=count / 700)
            here.ask("fill", plans="steady", count=count, every=EVERY, at=first.isoformat())
            arrivals = Arrivals(here)
            arrivals.start()
            running = here.start("steady", seconds=(first - utc_now()).total_seconds() + seconds)
            used = answer_of(running, seconds + 120)
            arrivals.over.set()
            arrivals.join()
            late = lateness(arrivals.found, first, count, first + timedelta(seconds=seconds - 1))
    except Failed as error:
        report_failure(key, f"{rate} a second", error)
        return None
    if not late:
        return [title(key), "no message", "", "", "", ""]
    p50, p99 = (late[min(int(len(late) * part), len(late) - 1)] for part in (0.5, 0.99))
    share = used["client_cpu"] / used["seconds"]
    return [
        title(key),
        f"{len(late)}",
        *(shown(max(one, 0.0)) for one in (p50, p99, late[-1])),
        f"{share:.0%}",
    ]


def main(*, quick: bool) -> None:
    """Print the table: Beatdesk runs for longer than the others."""
    rate, rows = 100 if quick else 500, []
    for key in candidates():
        line = measured(key, rate, (60 if key == "ours" else 10) if not quick else 6)
        if line is not None:
            rows.append(line)
    table(
        f"{rate} due each second, evenly spread: how late messages are (ours: 60 s, others: 10 s)",
        ["", "messages", "p50", "p99", "worst", "a processor's share"],
        rows,
    )
