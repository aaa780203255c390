"""The record of a lease is read and written as the golden file says; scripts are held to the
same file.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scheduler.events.schema import RunFacts
from scheduler.runs.lease_record import lease_of, owner_text, worker_word

GOLDEN: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parent / "golden/leases.json").read_text()
)
UID = "6c1b6e2e-1111-4222-8333-444444444444"
SEVEN = datetime(2026, 11, 21, 7, tzinfo=UTC)
FACTS = RunFacts(
    job="reports.job_summary",
    args=["not written"],
    schedule="nightly run",
    schedule_uid=UID,
    revision=7,
    tick=datetime(2026, 11, 21, 6, tzinfo=UTC),
    trigger="schedule",
)


@pytest.mark.parametrize("name", GOLDEN)
def test_a_record_is_read_as_the_golden_file_says(name: str) -> None:
    parts = GOLDEN[name]
    lease = lease_of(parts["record"])
    assert (lease.uid, lease.name, lease.text) == (parts["uid"], parts["name"], parts["record"])
    assert lease.attempt == int(parts["attempt"])
    assert lease.worker == (None if parts["worker"] == "-" else parts["worker"][1:])
    assert lease.expires == float(parts["till"].partition(";")[0])


def test_records_are_written_as_the_golden_file_says() -> None:
    assert owner_text(UID, "nightly") == GOLDEN["a message in its queue"]["record"]
    pausing = owner_text(UID, "nightly", pause_after=5, expires=SEVEN)
    assert pausing == GOLDEN["a message that expires, of a schedule that pauses itself"]["record"]
    unsent = owner_text(UID, "nightly run", facts=FACTS, pause_after=3, expires=SEVEN)
    assert unsent == GOLDEN["a message that may not have come to its queue"]["record"]
    assert lease_of(unsent).facts == FACTS.model_copy(update={"args": RunFacts(job="x").args})


def test_a_workers_name_is_one_word_that_is_not_a_dash() -> None:
    assert worker_word("celery@host-1") == "@celery@host-1"
    assert worker_word("worker with a\tspace@host") == "@worker_with_a_space@host"
    assert worker_word("-") == "@-"
    assert worker_word(None) == "@?"
