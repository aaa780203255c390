"""An event that no version can record, and what becomes of it in the running desk."""

from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.waiting import wait_for

HARD_TO_READ = "word " * 40 + "a_word_without_any_place_to_break_" * 12


def a_dead_letter(services: Services) -> str:
    """The id of a dead letter, made by the running recorder from an event with long texts and no
    end of faults.
    """
    before = services.dead_letters.newest()
    event = f'{{"kind": "run.vanished", "run": "{HARD_TO_READ}", "password": "hunter2hunter2"}}'
    services.redis.xadd(keys.EVENTS_STREAM, {"event": event, "f" * 300: b"\xff\x00" * 200})

    def newest() -> str | None:
        letter = services.dead_letters.newest()
        return letter if letter != before else None

    letter = wait_for(newest, 30, "the recorder sets the event aside")
    assert letter is not None
    return letter
