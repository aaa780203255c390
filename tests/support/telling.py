"""Events of a run that tells how far it is and what it logs, as a worker would append them."""

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
    """A run that has started, told a bar and logged these lines."""
    facts = RunFacts(job="told.steps", queue="default")
    second = timedelta(seconds=1)
    said = [
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
                at=said[start].at,
                first=start,
                lines=said[start : start + 100],
            )
            for start in range(0, len(said), 100)
        ],
    ]
