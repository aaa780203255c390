"""Options of an entry that no message can carry: refused where a schedule is saved, not at its tick.

Beatdesk's own forms have no place for such options. They stand in entries of plain RedBeat code,
and an edit takes them over from the entry that it replaces.
"""

from collections.abc import Callable

import pytest

from scheduler.errors import Refused
from scheduler.messages import options
from scheduler.rules.model.edit import Edit
from scheduler.schedules import edits
from scheduler.schedules.batch import DesiredSchedule
from scheduler.schedules.operations import Operations
from scheduler.schedules.store import ScheduleStore
from scheduler.services.services import Services
from tests.support.builders import NOON
from tests.support.schedules.contents import plain

EDIT = Edit(actor="ada", now=NOON)

Save = Callable[[ScheduleStore], object]


def _edit(store: ScheduleStore) -> object:
    spec = store.get("plain").spec().model_copy(update={"notes": "ours now"})
    return store.edit("plain", spec, revision=0, edit=EDIT)


def _save_set(store: ScheduleStore) -> object:
    spec = store.get("plain").spec().model_copy(update={"notes": "from a set"})
    return store.save_together([DesiredSchedule("plain", spec, 0)], edit=EDIT)


SAVES: dict[str, Save] = {
    "edit": _edit,
    "set": _save_set,
    "adopt": lambda store: store.adopt("plain", edit=EDIT),
    "switch on": lambda store: store.set_enabled("plain", True, edit=EDIT),
    "tag": lambda store: store.change(
        "plain", edits.tagging(["night"], [], store.bulk.calls(NOON), edit=EDIT)
    ),
    "queue": lambda store: store.change(
        "plain", edits.queueing("bulk", store.bulk.calls(NOON), edit=EDIT)
    ),
}

BAD: list[tuple[str, object]] = [
    ("soft_time_limit", "x"),
    ("headers", {"timelimit": ["a", None]}),
    ("priority", "high"),
    ("args", [1]),
]


@pytest.mark.parametrize("way", SAVES)
@pytest.mark.parametrize(("option", "value"), BAD)
def test_an_option_that_no_message_can_carry_is_refused_at_save(
    store: ScheduleStore, services: Services, way: str, option: str, value: object
) -> None:
    plain(services, options={option: value}, enabled=way != "switch on")
    before = store.entry("plain")
    with pytest.raises(Refused) as refusal:
        SAVES[way](store)
    text = str(refusal.value)
    assert refusal.value.field == "options"
    assert f"options.{option}" in text or "options.timelimit" in text
    assert "change it where the entry is written" in text
    assert store.entry("plain") == before


def test_a_schedule_with_such_an_option_is_switched_off_paused_and_deleted(
    store: ScheduleStore, services: Services
) -> None:
    plain(services, options={"soft_time_limit": "x"})
    operations = Operations(store)
    assert operations.pause("plain", reason="its limit is a text", edit=EDIT).paused is not None
    with pytest.raises(Refused, match="soft_time_limit is 'x'"):
        operations.resume("plain", edit=EDIT)
    assert not store.set_enabled("plain", False, edit=EDIT).enabled
    store.delete("plain", edit=EDIT)
    assert store.names() == []


def test_sound_options_of_plain_redbeat_code_stay(store: ScheduleStore, services: Services) -> None:
    sound = {"expires": NOON, "soft_time_limit": 60, "headers": {"shop": 1}, "queue": "bulk"}
    plain(services, options=sound)
    _edit(store)
    assert options.fault_of("job", sound) is None
    assert store.adopt("plain", edit=EDIT).origin == "operator"


def test_a_new_queue_mends_a_bad_one(store: ScheduleStore, services: Services) -> None:
    plain(services, options={"queue": 7})
    with pytest.raises(Refused, match=r"options\.queue is 7"):
        _edit(store)
    assert SAVES["queue"](store).queue == "bulk"  # type: ignore[attr-defined] # a schedule
