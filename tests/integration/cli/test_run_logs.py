"""`runs logs`: what a run has logged, and what it logs while it goes on."""

import json
import threading

from scheduler.clock import utc_now
from scheduler.events.schema import LogLine, RunLogged, RunSucceeded, run_event
from scheduler.history.recording.writer import write_events
from tests.support.builders import NOON
from tests.support.telling import a_telling_run

RUN = "6d0f4c1e-6a53-5b8a-8f0a-9d8b62f6c7d1"


def test_lines_are_printed_in_order_with_time_level_and_logger(beatdesk):
    write_events(
        beatdesk.services.engine, a_telling_run(RUN, NOON, ["one", "two\nof two \x1b[31m"])
    )
    assert beatdesk.done("runs", "logs", RUN).splitlines() == [
        "2026-11-21T12:00:00Z INFO shop: one",
        "2026-11-21T12:00:01Z INFO shop: two",
        "    of two \\x1b[31m",
    ]
    (first, _) = beatdesk.json("runs", "logs", RUN)["items"]
    assert (first["text"], first["number"], first["attempt"], first["level"]) == (
        "one",
        0,
        1,
        "INFO",
    )


def test_lines_that_were_left_out_are_said_to_be(beatdesk):
    line = LogLine(at=NOON, level="INFO", logger="shop", text="the last")
    left = RunLogged(run=RUN, attempt=1, at=NOON, first=90, left_out=80, lines=[line])
    write_events(beatdesk.services.engine, [*a_telling_run(RUN, NOON, ["one"]), left])
    assert "… 80 lines were left out here …" in beatdesk.done("runs", "logs", RUN).splitlines()


def test_all_of_a_long_log_is_printed(beatdesk):
    write_events(
        beatdesk.services.engine,
        a_telling_run(RUN, NOON, [f"line {number}" for number in range(20_000)]),
    )
    assert len(beatdesk.done("runs", "logs", RUN).splitlines()) == 20_000


def test_following_ends_with_the_run_and_has_its_last_line(beatdesk):
    engine = beatdesk.services.engine
    write_events(engine, a_telling_run(RUN, NOON, ["one"]))
    last = LogLine(at=utc_now(), level="ERROR", logger="shop", text="the last \x9b2J")
    more = RunLogged(run=RUN, attempt=1, at=last.at, first=1, lines=[last])
    end = run_event(RunSucceeded, RUN, 1, utc_now(), worker="w@host", result=1, runtime=1.0)
    later = threading.Timer(1.5, write_events, [engine, [more, end]])
    later.start()
    followed = beatdesk.done("runs", "logs", RUN, "--follow", "--json")
    printed = [json.loads(line) for line in followed.split("\n") if line]
    later.join()
    assert "\x9b" not in followed
    assert [line["text"] for line in printed] == ["one", "the last \x9b2J"]


def test_an_unknown_run_is_refused(beatdesk):
    assert "there is no run 'nobody'" in beatdesk.refused("runs", "logs", "nobody")


def test_a_running_run_says_how_far_it_is(beatdesk):
    write_events(beatdesk.services.engine, a_telling_run(RUN, NOON, []))
    assert beatdesk.json("runs", "show", RUN)["progress"] == {
        "done": 30.0,
        "total": 120.0,
        "text": "shelf 30",
    }
    assert beatdesk.json("runs", "list")["items"][0]["progress"]["done"] == 30.0
    assert "30 of 120 (25 %), shelf 30" in beatdesk.done("runs", "show", RUN)
