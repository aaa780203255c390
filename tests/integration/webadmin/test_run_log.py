"""What a run tells while it goes on, on its page and in the list."""

from scheduler.clock import utc_now
from scheduler.events.schema import RunSucceeded, run_event
from scheduler.history.recording.writer import write_events
from scheduler.services.services import Services
from tests.support.builders import NOON
from tests.support.telling import a_telling_run
from tests.support.webadmin.visitor import Visitor

RUN = "6d0f4c1e-6a53-5b8a-8f0a-9d8b62f6c7d1"


def test_a_running_run_shows_its_bar_and_its_log_and_asks_for_more(
    viewer: Visitor, services: Services
) -> None:
    write_events(
        services.engine,
        a_telling_run(RUN, NOON, ["<b>one</b>", "dsn postgresql://ada:hush@db/shop"]),
    )
    page = viewer.get(f"/runs/{RUN}").text
    assert '<progress max="120.0" value="30.0"' in page
    assert "30 of 120 (25 %), shelf 30" in page
    assert "&lt;b&gt;one&lt;/b&gt;" in page
    assert "hush" not in page
    assert 'data-every="2"' in page
    assert "30 of 120 (25 %), shelf 30" in viewer.get("/runs/").text


def test_a_run_that_is_over_has_its_log_and_no_bar(viewer: Visitor, services: Services) -> None:
    end = run_event(RunSucceeded, RUN, 1, utc_now(), worker="w@host", result=1, runtime=1.0)
    write_events(services.engine, [*a_telling_run(RUN, NOON, ["one"]), end])
    page = viewer.get(f"/runs/{RUN}").text
    assert "<progress" not in page
    assert ">one</span>" in page


def test_of_a_long_log_the_last_lines_are_shown_and_all_on_request(
    viewer: Visitor, services: Services
) -> None:
    write_events(
        services.engine, a_telling_run(RUN, NOON, [f"line {number}." for number in range(450)])
    )
    page = viewer.get(f"/runs/{RUN}").text
    assert "line 449." in page
    assert "line 249." not in page
    assert len(page) < 100_000
    whole = viewer.get(f"/runs/{RUN}?log=all").text
    assert "line 0." in whole
    assert "line 449." in whole
