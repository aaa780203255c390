"""A call is judged again by the worker: whoever writes to Redis passes by the console."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scheduler.clock import utc_now
from scheduler.redbeat import extra_field
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import IntervalWhen, Schedule, Spec
from scheduler.runs.approvals import Approvals, Call
from scheduler.runs.own_header import HEADER
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.beat.ours import our_beat
from tests.support.fixtures import migrate
from tests.support.runs.house import House
from tests.support.waiting import wait_for

ADMINS = "tests.for_admins"
ANYBODYS = "tests.add"


@pytest.fixture(scope="module")
def services(house: House) -> Iterator[Services]:
    """Services on the worker's server, for a console, a command and a Beat."""
    services = Services(house.settings)
    migrate(services.engine)
    wait_for(lambda: services.catalogue.least_roles({ADMINS}), 30, "the worker offers its jobs")
    yield services
    services.engine.dispose()
    services.redis.close()


def by(role: str | None) -> Edit:
    return Edit(actor="ann@example.org", now=utc_now(), role=role)


def saved(services: Services, name: str, job: str = ADMINS, **parts: Any) -> Schedule:
    """A schedule that is due every second, saved by an administrator."""
    spec = Spec(name=name, job=job, when=IntervalWhen(every=1), **parts)
    return services.schedules.create(spec, edit=by("admin"))


def forged(services: Services, name: str, job: str, **definition: Any) -> None:
    """An entry as whoever can write to Redis writes it: every part of another one but the call."""
    saved(services, "pattern", ANYBODYS, args=[1])
    fields = services.redis.hgetall(keys.entry("pattern"))
    parts = json.loads(fields["definition"]) | {"name": name, "task": job} | definition
    text = json.dumps(parts)
    own = json.loads(fields["beatdesk"]) | {"digest": extra_field.digest(text)}
    services.redis.hset(
        keys.entry(name), mapping=fields | {"definition": text, "beatdesk": json.dumps(own)}
    )
    services.redis.zadd(keys.SCHEDULE_ZSET, {keys.entry(name): utc_now().timestamp()})
    services.schedules.delete("pattern", edit=by(None))


def end_of_tick(house: House, services: Services, name: str) -> Any:
    """The end of the first run that Beat sends for a schedule; then the schedule is off."""
    beat = our_beat(services)

    def runs() -> list[str]:
        beat.tick()
        sent = [event for event in house.stream.events() if event.kind == "run.queued"]
        return [event.run for event in sent if event.facts.schedule == name]

    try:
        run = wait_for(runs, 20, f"Beat sends {name}")[0]
    finally:
        beat.close()
    end = house.stream.end(run)
    services.schedules.set_enabled(name, False, edit=by(None))
    return end


def test_a_tick_of_what_an_administrator_saved_runs(house: House, services: Services) -> None:
    schedule = saved(services, "approved", kwargs={"days": 7})
    assert schedule.approval
    assert end_of_tick(house, services, "approved").result == 7


def test_an_entry_written_to_redis_runs_no_job_for_administrators(
    house: House, services: Services, tmp_path: Path
) -> None:
    mark = tmp_path / "ran"
    forged(services, "forged", ADMINS, args=[], kwargs={"days": 1, "mark": str(mark)})
    end = end_of_tick(house, services, "forged")
    assert end.kind == "run.failed"
    assert "for administrators, and none has approved this call" in end.error
    assert not mark.exists()


def test_an_approval_is_for_one_call_of_one_schedule(house: House, services: Services) -> None:
    schedule = saved(services, "copied", kwargs={"days": 30})
    good = Call(ADMINS, [], {"days": 30}, schedule.uid)
    key = Approvals(house.settings.secret_key)
    other_key = Approvals("x" * 40)
    cases = [
        (schedule.approval, {"days": 1}, schedule.uid, "is not for this call"),
        (schedule.approval, {"days": 30}, "another", "is not for this call"),
        (other_key.approve(good), {"days": 30}, schedule.uid, "another BEATDESK_SECRET_KEY"),
        ("admin", {"days": 30}, schedule.uid, "is not for this call"),
        (None, {"days": 30}, schedule.uid, "none has approved"),
    ]
    assert key.approve(good) == schedule.approval
    for approval, kwargs, uid, reason in cases:
        own = {"schedule_uid": uid, "trigger": "manual", "actor": "root", "approval": approval}
        end = house.stream.end(house.send(ADMINS, kwargs=kwargs, headers={HEADER: own}))
        assert end.kind == "run.failed", approval
        assert reason in end.error


def test_a_run_started_by_hand_is_approved_for_its_own_arguments(
    house: House, services: Services
) -> None:
    schedule = saved(services, "by-hand", kwargs={"days": 30})
    run = services.control.start(schedule, actor="ann", kwargs={"days": 3}, now=utc_now())
    assert house.stream.end(run).result == 3


def test_code_sends_and_calls_the_job(house: House, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    sent = house.stream.end(house.send("tests.sends_for_admins", str(mark))).result
    assert house.stream.end(sent).result == 1
    assert mark.read_text() == "begin\n"


@pytest.mark.parametrize("place", ["chain", "link"])
def test_a_message_that_names_the_job_as_the_next_one_does_not_run_it(
    house: House, tmp_path: Path, place: str
) -> None:
    mark = tmp_path / "ran"
    named = {"task": ADMINS, "args": [], "kwargs": {"mark": str(mark)}, "immutable": True}
    run = house.send(ANYBODYS, 1, 2, **{place: [named | {"options": {}}]})
    house.stream.end(run)

    def next_runs() -> list[str]:
        taken = [event for event in house.stream.events() if event.kind == "run.received"]
        return [event.run for event in taken if event.facts.parent == run]

    end = house.stream.end(wait_for(next_runs, 20, "the next job has a message")[0])
    assert end.kind == "run.failed"
    assert "none has approved this call" in end.error
    assert not mark.exists()


def test_a_message_that_lets_celery_call_the_job_does_not_run_it(
    house: House, tmp_path: Path
) -> None:
    mark = tmp_path / "ran"
    named = {"task": ADMINS, "args": [], "kwargs": {}, "options": {}}
    run = house.send("celery.starmap", named, [[1, str(mark)]])
    house.worker.wait_for_log(f"celery.starmap[{run}] raised unexpected: NotPermitted")
    assert not mark.exists()


@pytest.mark.parametrize(
    ("args", "kwargs", "reason"),
    [
        ([], {"x": 1, "z": 2}, "has no parameter 'z'"),
        (["one"], {}, "x must be int"),
        ([1, 2, 3], {}, "takes at most 2 positional"),
    ],
)
def test_arguments_in_a_message_written_to_the_broker_are_judged(
    house: House, args: list[Any], kwargs: dict[str, Any], reason: str
) -> None:
    run = house.send(ANYBODYS, *args, kwargs=kwargs, headers={HEADER: {"trigger": "manual"}})
    end = house.stream.end(run)
    assert end.kind == "run.failed"
    assert end.error.startswith("BadArguments")
    assert reason in end.error


def test_arguments_in_an_entry_written_to_redis_are_judged(
    house: House, services: Services
) -> None:
    forged(services, "arguments", ANYBODYS, args=["one"])
    end = end_of_tick(house, services, "arguments")
    assert end.kind == "run.failed"
    assert "x must be int" in end.error


def test_an_unknown_job_in_an_entry_written_to_redis_runs_nothing(
    house: House, services: Services
) -> None:
    forged(services, "unknown", "os.system", args=["true"])
    end = end_of_tick(house, services, "unknown")
    assert end.kind == "run.failed"
    assert "no worker here knows the job 'os.system'" in end.error
