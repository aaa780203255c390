"""What the sample values of addresses name: with these, every page of the console has something
on it.
"""

from datetime import timedelta
from typing import Any

from scheduler.clock import utc_now
from scheduler.events.schema import ReportStored
from scheduler.rules.calendars.text import calendar_of
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import IntervalWhen, Schedule, Spec
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.builders import a_run_history
from tests.support.schedules.contents import plain
from tests.support.webadmin.addresses import SAMPLES

ACTOR = "ada@example.org"


def make_samples(services: Services, job: str, kwargs: dict[str, Any]) -> Schedule:
    """Make a schedule in each state, a calendar, a run and a report. Returns `sample`, which was
    edited once.

    The job must be offered already, with these arguments. The history has heard of all of it once a
    recorder has read the stream.
    """
    store, now = services.schedules, utc_now()
    spec = Spec(
        name="sample",
        job=job,
        when=IntervalWhen(every=86_400),
        kwargs=kwargs,
        tags=["nightly", "finance"],
        notes="Call Ada.",
    )
    for name in ("sample", "sample-paused", "sample-gone"):
        store.create(
            spec.model_copy(update={"name": name}),
            edit=Edit(actor=ACTOR, now=now, comment="a sample"),
        )
    schedule = store.edit(
        "sample",
        spec.model_copy(update={"owner": "ada"}),
        revision=1,
        edit=Edit(actor=ACTOR, now=now),
    )
    services.operations.pause(
        "sample-paused", reason="the bank is closed", edit=Edit(actor=ACTOR, now=now)
    )
    store.delete("sample-gone", edit=Edit(actor=ACTOR, now=now, comment="by mistake"))
    for name in ("sample-plain", "sample-static"):
        plain(services, name, task=job, kwargs=kwargs)
    services.redis.sadd(keys.STATICS_SET, "sample-static")
    override = (
        store.get("sample-static").spec().model_copy(update={"when": IntervalWhen(every=3600)})
    )
    store.edit("sample-static", override, revision=0, edit=Edit(actor=ACTOR, now=now))
    services.calendars.save(
        calendar_of("sample", ["2026-12-25"]), revision=None, edit=Edit(actor=ACTOR, now=now)
    )
    _append_run_and_report(services, schedule)
    _append_dead_letter(services)
    return schedule


def _append_dead_letter(services: Services) -> None:
    """A letter with a long text, a secret and bytes that are not text, as a recorder leaves it."""
    long_text = "word " * 40 + "a_word_without_any_place_to_break_" * 12
    event = f'{{"kind": "run.vanished", "run": "{long_text}", "password": "hunter2hunter2"}}'
    services.redis.xadd(
        keys.DEAD_LETTERS_STREAM,
        {
            "entry": "1-0",
            "error": f"kind: {long_text}",
            "tries": 3,
            "retries": 1,
            "first": "1-0",
            "field:event": event,
            f"field:{'f' * 300}": b"\xff\x00" * 200,
        },
        id=SAMPLES["dead_letters"]["id"],
    )


def _append_run_and_report(services: Services, schedule: Schedule) -> None:
    run, report, now = SAMPLES["runs"]["id"], SAMPLES["reports"]["id"], utc_now()
    tick = now - timedelta(minutes=5)
    services.events.append_many(
        [
            *a_run_history(run, schedule=schedule, tick=tick, state="failed"),
            ReportStored(
                at=now,
                report=report,
                run=run,
                title="A report",
                path="sample.html",
                media_type="text/html",
                size=1,
                sha256="0" * 64,
            ),
        ]
    )
