"""How long until the last of many messages is in its queue, where all schedules are due at once.

Cold: a new process, its first turn. Warm: the same process, when all of them are due a second time.
"""

from typing import Any

from tests.bench.beat_stage import LONGEST, NONE, Failed, candidates, seconds, stage, times, title, told
from tests.bench.figures import table

HEADS = [
    "",
    "cold",
    "ours is",
    "warm",
    "ours is",
    "messages/s warm",
    "commands",
    "reads",
    "CPU",
    "server's CPU",
    "peak",
]


def measured(key: str, count: int) -> dict[str, Any] | None:
    """One contender, or nothing where it cannot."""
    try:
        with stage(key) as here:
            here.ask("fill", plans="due", count=count, at=here.at.isoformat())
            return here.ask("due", count=count, at=here.at.isoformat(), longest=LONGEST)
    except Failed as error:
        told(key, f"{count} due", error)
        return None


def row(key: str, found: dict[str, Any], ours: dict[str, Any], count: int) -> list[str]:
    """Its line; what is used is told of the warm pass, by message."""
    cold, warm, peak = found["cold"], found["warm"], f"{found['peak_mb']:.0f} MB"
    line = [title(key), seconds(cold), times(cold, ours["cold"])]
    if warm is None:
        return [*line, NONE, NONE, NONE, NONE, NONE, NONE, NONE, peak]
    return [
        *line,
        seconds(warm),
        times(warm, ours["warm"]),
        f"{count / warm['seconds']:.0f}",
        f"{warm['commands'] / count:.1f}",
        f"{warm['reads'] / count:.3f}",
        f"{warm['client_cpu'] / count * 1e6:.0f} µs",
        f"{warm['server_cpu'] / count * 1e6:.0f} µs",
        peak,
    ]


def main(*, quick: bool) -> None:
    """Print a table for each number of schedules."""
    for count in (100, 500) if quick else (1000, 10_000):
        found = {key: answer for key in candidates() if (answer := measured(key, count)) is not None}
        if "ours" not in found:
            continue
        rows = [row(key, answer, found["ours"], count) for key, answer in found.items()]
        table(
            f"{count:,} schedules due at once (used: warm, by message; reads: how often the server had to read)",
            HEADS,
            rows,
        )
