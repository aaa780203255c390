"""Seconds until the last of many messages is in the queue, with all schedules due at once.

Cold: a new process, in the first turn. Warm: the same process, with all schedules due a second
time. The contenders take turns, and each figure is the median of a contender's rounds: a shared
machine is faster in one minute than in the next. A contender not done in time has no further
rounds.
"""

from statistics import median_low
from typing import Any

from tests.bench.beat_stage import (
    LONGEST,
    NONE,
    Failed,
    candidates,
    report_failure,
    seconds,
    stage,
    times,
    title,
)
from tests.bench.figures import table

ROUNDS = 3

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
    """Return one contender's figures; None where the contender has no answer."""
    try:
        with stage(key) as here:
            here.ask("fill", plans="due", count=count, at=here.at.isoformat())
            return here.ask("due", count=count, at=here.at.isoformat(), longest=LONGEST)
    except Failed as error:
        report_failure(key, f"{count} due", error)
        return None


def row(key: str, found: dict[str, Any], our_result: dict[str, Any], count: int) -> list[str]:
    """Return a contender's row; resources are those of the warm pass, per message."""
    cold, warm, peak = found["cold"], found["warm"], f"{found['peak_mb']:.0f} MB"
    line = [title(key), seconds(cold), times(cold, our_result["cold"])]
    if warm is None:
        return [*line, NONE, NONE, NONE, NONE, NONE, NONE, NONE, peak]
    return [
        *line,
        seconds(warm),
        times(warm, our_result["warm"]),
        f"{count / warm['seconds']:.0f}",
        f"{warm['commands'] / count:.1f}",
        f"{warm['reads'] / count:.3f}",
        f"{warm['client_cpu'] / count * 1e6:.0f} µs",
        f"{warm['server_cpu'] / count * 1e6:.0f} µs",
        peak,
    ]


def middle(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the median round of each pass, by seconds; None where a round was not done in time."""

    def of(name: str) -> dict[str, float] | None:
        passes = [one[name] for one in rounds]
        if None in passes:
            return None
        taken = median_low([one["seconds"] for one in passes])
        return next(one for one in passes if one["seconds"] == taken)

    return {
        "cold": of("cold"),
        "warm": of("warm"),
        "peak_mb": max(one["peak_mb"] for one in rounds),
    }


def main(*, quick: bool) -> None:
    """Print a table for each number of schedules."""
    for count in (100, 500) if quick else (1000, 10_000):
        found: dict[str, list[dict[str, Any]]] = {key: [] for key in candidates()}
        for _ in range(1 if quick else ROUNDS):
            for key, rounds in found.items():
                done = all(one["warm"] is not None for one in rounds)
                answer = measured(key, count) if done else None
                if answer is not None:
                    rounds.append(answer)
        middles = {key: middle(rounds) for key, rounds in found.items() if rounds}
        if "ours" not in middles:
            continue
        rows = [row(key, answer, middles["ours"], count) for key, answer in middles.items()]
        table(
            f"{count:,} schedules due at once (used: warm, by message; reads: how often the "
            "server had to read)",
            HEADS,
            rows,
        )
