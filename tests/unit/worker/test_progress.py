"""What a run tells while it goes on: bounded, throttled, and dropped before any state is."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisAway

from scheduler.events.schema import Event, RunLogged, RunProgressed
from scheduler.worker.event_buffer import EventBuffer
from scheduler.worker.execution.progress import Bounds, ProgressLog
from scheduler.worker.execution.progress_sender import MOST_WAITING, ProgressSender
from tests.support.builders import NOON


class Stream:
    """Takes events, or is away."""

    def __init__(self, length: int = 0, *, away: bool = False) -> None:
        self.events: list[Event] = []
        self.calls = 0
        self._length = length
        self._away = away

    def append(self, event: Event) -> None:
        self.append_many([event])

    def append_many(self, events: Any) -> None:
        if self._away:
            raise RedisAway("away")
        self.calls += 1
        self.events.extend(events)

    def length(self) -> int:
        return self._length


def notes_of(lines: int = 10, line_bytes: int = 200) -> ProgressLog:
    ticking = iter(range(10_000))
    return ProgressLog(
        "r",
        1,
        "w@h",
        Bounds(lines, line_bytes),
        now=lambda: NOON + timedelta(seconds=next(ticking)),
        wake=lambda _: None,
    )


def sender_of(stream: Stream, limit: int = 1000) -> tuple[ProgressSender, EventBuffer]:
    outbox = EventBuffer(stream)
    return ProgressSender(outbox, stream.length, limit, monotonic=lambda: 0.0, every=0.01), outbox


def texts(events: Any) -> list[str]:
    return [line.text for event in events if isinstance(event, RunLogged) for line in event.lines]


def test_only_the_newest_progress_is_sent() -> None:
    notes = notes_of()
    for done in range(100):
        notes.progress(done, 100, f"step {done}")
    (event,) = notes.take().progress
    assert isinstance(event, RunProgressed)
    assert (event.done, event.total, event.text, event.seq) == (99, 100, "step 99", 12)
    assert notes.take().progress == []


@pytest.mark.parametrize("done", [float("nan"), float("inf"), True, "half", None])
def test_progress_that_is_no_number_is_refused_where_it_is_told(done: Any) -> None:
    with pytest.raises(ValueError, match="done is a number"):
        notes_of().progress(done, 10, "")


def test_the_text_beside_a_bar_and_a_line_are_bounded() -> None:
    notes = notes_of(line_bytes=100)
    notes.progress(1, 2, "x" * 10_000)
    notes.line("INFO", "l" * 1000, "y" * 10_000)
    said = notes.take()
    assert len(said.progress[0].text) < 300  # type: ignore[attr-defined]
    (line,) = said.lines[0].lines  # type: ignore[attr-defined]
    assert line.text.startswith("y" * 100 + "…")
    assert (len(line.text) < 200, len(line.logger)) == (True, 100)


def test_lines_keep_their_order_and_their_places() -> None:
    notes = notes_of(lines=500)
    for number in range(120):
        notes.line("INFO", "l", f"{number}")
    events = notes.take().lines
    assert [(event.first, len(event.lines)) for event in events] == [(0, 100), (100, 20)]  # type: ignore[attr-defined]
    notes.line("INFO", "l", "120")
    assert [event.first for event in notes.take().lines] == [120]  # type: ignore[attr-defined]


def test_of_too_many_lines_the_middle_is_left_out_and_counted() -> None:
    notes = notes_of(lines=10)
    for number in range(25):
        notes.line("INFO", "l", f"{number}")
    assert texts(notes.take().lines) == ["0", "1", "2", "3", "4"]
    (last,) = notes.take(over=True).lines
    assert texts([last]) == ["20", "21", "22", "23", "24"]
    assert (last.first, last.left_out) == (20, 15)  # type: ignore[attr-defined]


def test_what_is_left_goes_out_with_the_end_in_one_round_trip() -> None:
    stream = Stream()
    sender, outbox = sender_of(stream)
    notes = notes_of(lines=2)
    for text in ("first", "last"):
        notes.line("INFO", "l", text)
    sender.finish(notes)
    assert stream.calls == 0
    outbox.deliver(RunLogged(run="end", attempt=1, at=NOON, first=0))
    assert (stream.calls, texts(stream.events)) == (1, ["first", "last"])


def test_where_the_stream_is_full_lines_go_first_then_progress() -> None:
    for length, kinds in (
        (999, {"run.progressed", "log.written"}),
        (1000, {"run.progressed", "log.written"}),
        (1250, set()),
    ):
        stream = Stream(length)
        sender, outbox = sender_of(stream)
        notes = notes_of()
        notes.line("INFO", "l", "one")
        notes.progress(1, 2, "")
        sender.wake(notes)
        sender.finish(notes)
        outbox.flush()
        assert {event.kind for event in stream.events} == kinds  # type: ignore[attr-defined]
        assert texts(stream.events) == (["one"] if length < 1000 else [])


def test_a_stream_that_is_away_costs_neither_time_nor_memory() -> None:
    stream = Stream(away=True)
    sender, outbox = sender_of(stream)
    for _ in range(MOST_WAITING + 500):
        notes = notes_of()
        notes.line("INFO", "l", "one")
        sender.wake(notes)
        sender.send()
    assert outbox.waiting <= MOST_WAITING + 2


def test_one_thread_sends_for_all_and_only_when_something_is_told() -> None:
    stream = Stream()
    sender, _ = sender_of(stream)
    before = threading.active_count()
    assert threading.active_count() == before
    told = threading.Event()
    stream_append = stream.append_many

    def seen(events: Any) -> None:
        stream_append(events)
        told.set()

    stream.append_many = seen  # type: ignore[method-assign]
    notes = notes_of()
    notes.line("INFO", "l", "one")
    sender.wake(notes)
    assert told.wait(5)
    assert texts(stream.events) == ["one"]
