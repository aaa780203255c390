"""Computed ids must never change: history refers to them."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from scheduler.rules.model.identity import plain_uid, run_id, tick_text
from tests.support.builders import NOON

UID = "0b2d4c55-5f0e-4a8f-9d5e-0d6c2f7c8f11"


def test_a_run_of_a_tick_has_one_id_whoever_computes_it() -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5, minutes=45)))
    assert run_id(UID, NOON) == run_id(UID, elsewhere)
    assert run_id(UID, NOON) != run_id(UID, NOON + timedelta(microseconds=1))
    assert run_id(UID, NOON) != run_id(plain_uid("x"), NOON)


def test_ids_of_earlier_versions_stay_what_they_were() -> None:
    assert run_id(UID, NOON) == "0aeb39b2-e629-5399-84a8-d56c9b6c586e"
    assert plain_uid("nightly-report") == "4a6f5ee8-4d20-5347-af49-2bcc82d23b43"


def test_ids_are_uuids() -> None:
    assert UUID(plain_uid("any:name with blanks"))
    assert UUID(run_id(UID, NOON))


def test_a_tick_is_written_in_utc_with_z() -> None:
    assert tick_text(NOON) == "2026-11-21T12:00:00Z"
    assert tick_text(NOON + timedelta(milliseconds=250)) == "2026-11-21T12:00:00.250000Z"


@given(st.uuids(), st.datetimes(timezones=st.just(UTC)))
def test_the_id_of_a_run_is_pythons_uuid5(uid: UUID, tick: datetime) -> None:
    assert run_id(str(uid), tick) == str(uuid5(uid, tick_text(tick)))
