"""A hundred thousand schedules due at once: time, lost and double runs, and memory."""

import base64
import json
from typing import Any

from tests.bench.beat_contenders import QUEUE
from tests.bench.beat_stage import Failed, Stage, report_failure, stage
from tests.bench.figures import table


def numbers(here: Stage) -> set[int]:
    """Return the numbers of the schedules with a message."""
    found: set[int] = set()
    with here.server.client() as redis:
        length: Any = redis.llen(QUEUE)
        for begin in range(0, length, 5000):
            messages: Any = redis.lrange(QUEUE, begin, begin + 4999)
            found |= {
                json.loads(base64.b64decode(json.loads(text)["body"]))[0][0] for text in messages
            }
    return found


def main(*, quick: bool) -> None:
    """Print the table, for Beatdesk only: at stock's rate the run would take minutes."""
    count = 2000 if quick else 100_000
    try:
        with stage("ours") as here:
            here.ask("fill", plans="due", count=count, at=here.at.isoformat())
            found = here.ask("due", count=count, at=here.at.isoformat(), longest=120, warm=False)
            distinct = len(numbers(here))
    except Failed as error:
        report_failure("ours", f"{count} due", error)
        return
    passed = found["cold"]
    row = [
        "ours",
        "> 120 s" if passed is None else f"{passed['seconds']:.1f} s",
        str(count - distinct),
        str(found["sent"] - distinct),
        f"{found['peak_mb']:.0f} MB",
    ]
    table(
        f"{count:,} schedules due at once, cold",
        ["", "time", "lost", "double", "peak memory"],
        [row],
    )
