"""Events of a run with progress and log lines, as a worker would append them."""

from datetime import datetime, timedelta

from scheduler.events.schema import (
    Event,
    LogLine,
    RunFacts,
    RunLogged,
    RunProgressed,
    RunReceived,
    RunStarted,
    run_event,
)


def a_telling_run(
    run: str, at: datetime, lines: list[str], *, done: float = 30, total: float | None = 120
) -> list[Event]:
    """A run with a start, progress and log lines."""
    facts = RunFacts(job="told.steps", queue="default")
    second = timedelta(seconds=1)
    log_lines = [
        LogLine(at=at + number * second, level="INFO", logger="shop", text=text)
        for number, text in enumerate(lines)
    ]
    return [
        run_event(RunReceived, run, 1, at, worker="w@host", facts=facts),
        run_event(RunStarted, run, 1, at + second, worker="w@host", pid=1),
        run_event(
            RunProgressed, run, 1, at + second, worker="w@host", done=1, total=total, text="begun"
        ),
        run_event(
            RunProgressed,
            run,
            1,
            at + 2 * second,
            worker="w@host",
            done=done,
            total=total,
            text="shelf 30",
        ),
        *[
            RunLogged(
                run=run,
                attempt=1,
                worker="w@host",
                at=log_lines[start].at,
                first=start,
                lines=log_lines[start : start + 100],
            )
            for start in range(0, len(log_lines), 100)
        ],
    ]
