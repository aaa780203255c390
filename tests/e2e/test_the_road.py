"""Edit → Redis → Beat → queue → worker → stream → SQL → console.

With stock RedBeat and the exact two Celery commands, as processes of their own.
"""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta

import pytest

from scheduler.clock import utc_now
from scheduler.history.schema_version import upgrade
from scheduler.rules.model.edit import Edit
from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from tests.support.console import Console
from tests.support.road import Road, delete, edit, gaps, save, twice
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_for

EVERY_SECOND = {"kind": "interval", "every": "1", "unit": "seconds", "job": "tests.echo"}

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def road(valkey_binary: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    folder = tmp_path_factory.mktemp("road")
    valkey = ValkeyServer(folder / "valkey", valkey_binary)  # type: ignore[arg-type]
    valkey.start()
    settings = Settings(
        data_dir=folder,
        redis_url=valkey.url,
        jobs=("tests.support.jobs",),
        beat_lock_timeout=3,
        recorder_batch=50,
    )
    services = Services(settings)
    upgrade(services.engine)
    road = Road(services, valkey)
    yield road
    road.end()
    services.engine.dispose()
    services.redis.close()
    valkey.stop()


@pytest.fixture(scope="module")
def console(road: Road) -> Console:
    return road.wait_until_open()


@pytest.fixture(autouse=True)
def _the_road_is_clear(road: Road) -> Iterator[None]:
    """Every process lives before a test; afterwards nothing is scheduled."""
    road.valkey.start()
    road.supervise()
    if not road.recorder.running():
        road.restart_recorder()
    yield
    road.valkey.start()
    for name in road.services.schedules.names():
        road.services.schedules.delete(name, edit=Edit(actor="test", now=utc_now()))


def test_a_schedule_made_in_the_console_is_fired_and_recorded(road: Road, console: Console) -> None:
    page = save(console, "greeting", **EVERY_SECOND, kwargs='{"value": "hello"}')
    assert page.path == "/schedules/greeting/", page.text

    runs = road.wait_for_runs("greeting", 2)

    whole = road.services.history.run(runs[0].id)
    assert (whole.job, whole.trigger, whole.revision, whole.kwargs) == (
        "tests.echo",
        "schedule",
        1,
        {"value": "hello"},
    )
    assert whole.result == "hello"
    assert whole.tick is not None
    assert whole.queued_at is not None
    assert whole.started_at is not None
    assert whole.finished_at is not None
    assert whole.tick <= whole.queued_at <= whole.started_at <= whole.finished_at
    assert twice(runs) == []
    assert "hello" in console.get(f"/runs/{whole.id}").text


def test_an_edit_changes_what_fires_next_without_any_restart(road: Road, console: Console) -> None:
    save(console, "changing", **EVERY_SECOND, kwargs='{"value": "before"}')
    before = road.wait_for_runs("changing", 0)[0]
    assert road.services.history.run(before.id).result == "before"
    beat, worker = road.beat.pid, road.worker.pid

    page = edit(console, "changing", kwargs='{"value": "after"}', comment="so that it changes")
    assert page.path == "/schedules/changing/", page.text
    saved = utc_now()

    new = wait_for(
        lambda: [run for run in road.done("changing") if run.revision == 2],
        30,
        "a run of revision 2",
    )[0]
    assert road.services.history.run(new.id).result == "after"
    assert new.queued_at is not None
    assert new.queued_at - saved < timedelta(seconds=3)
    assert (road.beat.pid, road.worker.pid) == (beat, worker)
    assert road.beat.running()


def test_a_new_time_is_honoured_without_any_restart(road: Road, console: Console) -> None:
    save(console, "sooner", **(EVERY_SECOND | {"every": "1", "unit": "hours"}))
    assert road.runs("sooner") == []

    edit(console, "sooner", every="1", unit="seconds")

    assert twice(road.wait_for_runs("sooner", 2)) == []


def test_a_disabled_schedule_rests_and_an_enabled_one_goes_on(road: Road, console: Console) -> None:
    save(console, "resting", **EVERY_SECOND)
    save(console, "witness", **EVERY_SECOND)
    road.wait_for_runs("resting")

    console.submit("/schedules/", "/resting/disable")
    _let_two_ticks_pass(road)
    count = len(road.runs("resting"))
    _let_two_ticks_pass(road)
    assert len(road.runs("resting")) == count

    console.submit("/schedules/", "/resting/enable")
    runs = road.wait_for_runs("resting", count)
    assert twice(runs) == []


def test_a_deletion_ends_it_and_its_history_stays(road: Road, console: Console) -> None:
    save(console, "short-lived", **EVERY_SECOND)
    save(console, "witness", **EVERY_SECOND)
    road.wait_for_runs("short-lived")

    assert delete(console, "short-lived").path == "/schedules/"

    _let_two_ticks_pass(road)
    count = len(road.runs("short-lived"))
    _let_two_ticks_pass(road)
    assert len(road.runs("short-lived")) == count > 0
    assert "short-lived" not in road.services.schedules.names()


def test_all_come_back_when_redis_is_restarted(road: Road, console: Console) -> None:
    save(console, "survivor", **EVERY_SECOND)
    road.wait_for_runs("survivor", 1)
    worker, recorder, web = road.worker.pid, road.recorder.pid, road.web.pid

    road.valkey.stop()
    assert console.get("/schedules/").status in {200, 503}
    road.valkey.start()

    restarted = utc_now()

    def later() -> bool:
        road.supervise()
        return any(run.tick and run.tick > restarted for run in road.done("survivor"))

    wait_for(later, 90, "a tick after the restart has run", every=0.2)
    assert (road.worker.pid, road.recorder.pid, road.web.pid) == (worker, recorder, web)
    assert road.worker.running()
    assert road.recorder.running()
    assert "survivor" in console.get("/schedules/").text
    _every_tick_has_one_verdict(road, "survivor")


def test_runs_go_on_while_sql_is_away_and_the_history_catches_up(
    road: Road, console: Console
) -> None:
    save(console, "unrecorded", **EVERY_SECOND)
    road.wait_for_runs("unrecorded", 1)
    database = road.services.settings.data_dir / "history.sqlite3"

    with sqlite3.connect(database, isolation_level=None, timeout=30) as blocker:
        blocker.execute("BEGIN EXCLUSIVE")
        waiting = road.services.events.length()
        wait_for(
            lambda: road.services.events.length() > waiting + 20,
            60,
            "events pile up while nobody writes SQL",
        )
        away = utc_now()
        blocker.execute("ROLLBACK")
    blocker.close()

    wait_for(
        lambda: any(run.tick and run.tick > away for run in road.done("unrecorded")),
        60,
        "the history goes on",
    )
    assert road.recorder.running()
    _every_tick_has_one_verdict(road, "unrecorded")


def test_a_recorder_killed_again_and_again_in_its_work_loses_nothing(
    road: Road, console: Console
) -> None:
    save(console, "by-hand", **(EVERY_SECOND | {"every": "1", "unit": "days"}))
    schedule = road.services.schedules.get("by-hand")
    road.recorder.kill()
    started = {
        road.services.control.start(schedule, actor="ada@example.org", now=utc_now())
        for _ in range(200)
    }
    wait_for(
        lambda: road.services.events.length() > 600,
        90,
        "the worker has told more than the dead recorder took",
    )

    for folded in (1, 70, 140):
        road.restart_recorder()
        wait_for(
            lambda folded=folded: len(road.runs("by-hand")) >= folded,
            60,
            f"{folded} runs are folded",
            every=0.01,
        )
        road.recorder.kill()
    road.restart_recorder()

    wait_for(
        lambda: len(road.done("by-hand")) == 200, 150, "all runs have ended well in the history"
    )
    wait_for(lambda: road.services.events.length() == 0, 30, "every event is acknowledged and gone")
    assert {run.id for run in road.runs("by-hand")} == started


def _let_two_ticks_pass(road: Road) -> None:
    """Wait until the witness has run for two more ticks, all the way to SQL: what was under way has
    arrived.
    """
    road.wait_for_runs("witness", len(road.done("witness")) + 1)


def _every_tick_has_one_verdict(road: Road, schedule: str) -> None:
    delete_time = utc_now()
    settled = [
        run
        for run in road.runs(schedule)
        if run.tick and run.tick < delete_time - timedelta(seconds=5)
    ]
    assert gaps(settled, 1) == []
    assert twice(settled) == []
