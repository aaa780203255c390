"""Which log lines are a job's."""

import logging

import pytest

from scheduler.worker.execution.captured import RunHandler
from scheduler.worker.execution.current import Execution, enter, leave
from scheduler.worker.execution.progress import Bounds, ProgressLog
from tests.support.builders import NOON


@pytest.mark.parametrize(
    ("logger", "texts"),
    [
        ("shop.tasks", ["a line"]),
        ("scheduler.jobs.demo", ["a line"]),
        ("scheduler.worker.event_buffer", []),
        ("celery.worker.strategy", []),
    ],
)
def test_lines_of_the_machinery_are_not_the_jobs(logger: str, texts: list[str]) -> None:
    progress_log = ProgressLog(
        "r", 1, None, Bounds(10, 100), now=lambda: NOON, wake=lambda _log: None
    )
    execution = Execution("r", 1, {}, progress_log)
    token = enter(execution)
    try:
        RunHandler("INFO").emit(
            logging.LogRecord(logger, logging.INFO, __file__, 1, "a line", None, None)
        )
    finally:
        leave(execution, token)
    events = progress_log.take(over=True).lines
    assert [line.text for event in events for line in event.lines] == texts  # type: ignore[attr-defined]
