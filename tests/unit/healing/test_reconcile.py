"""Which difference between Redis and the history is loss, and which is somebody's wish: the whole
table.
"""

from datetime import timedelta
from typing import Any

import pytest

from scheduler.healing.reconcile import (
    Book,
    What,
    decide,
    is_newer,
    same_content,
)
from scheduler.history.queries.views import Saved
from scheduler.redbeat import codec, extra_field
from scheduler.redbeat.codec import Meta, Raw
from scheduler.redbeat.fingerprints import NOTHING
from scheduler.rules.model.spec import Schedule
from scheduler.schedules.raw_entry import RawEntry
from tests.support.builders import NOON, a_schedule

MINUTE = timedelta(minutes=1)


def fact(
    revision: int,
    action: str = "edited",
    *,
    key: int | None = None,
    minutes: int | None = None,
    **parts,
) -> Saved:
    at = NOON + (revision if minutes is None else minutes) * MINUTE
    uid = parts.pop("uid", a_schedule().uid)
    return Saved(
        key or revision,
        uid,
        parts.pop("name", "nightly-report"),
        revision,
        action,
        at,
        parts.pop("saved", at),
    )


def book(*facts: Saved) -> Book:
    read = Book()
    read.take(facts)
    return read


def schedule(revision: int, minutes: int | None = None, **parts: Any) -> Schedule:
    at = NOON + (revision if minutes is None else minutes) * MINUTE
    return a_schedule(revision=revision, updated_at=at, **parts)


def stored(
    held: Schedule, *, plain: bool = False, rewritten: bool = False, score: float | None = 1.0
) -> RawEntry:
    definition = codec.encode_definition(held)
    ours = None if plain else extra_field.encode(held, definition)
    if rewritten:
        definition = definition.replace('"args": []', '"args": [1]')
    return RawEntry(
        held.name, Raw(definition, codec.encode_meta(Meta(NOON, 1)), ours), False, score
    )


ABSENT = RawEntry("nightly-report", NOTHING, False, None)
BROKEN = stored(schedule(2))._replace(raw=stored(schedule(2)).raw._replace(definition="{}"))
FOREIGN = RawEntry("nightly-report", NOTHING, False, 1.0, fault="no hash")

TABLE = [
    ("nothing anywhere", ABSENT, [], What.LEAVE),
    ("gone, and saved", ABSENT, [fact(1)], What.RESTORE),
    ("gone, and deleted", ABSENT, [fact(1), fact(2, "deleted")], What.LEAVE),
    ("the key is somebody else's", FOREIGN, [fact(1)], What.LEAVE),
    ("the same revision", stored(schedule(2)), [fact(1), fact(2)], What.COMPARE),
    ("an older revision", stored(schedule(1)), [fact(1), fact(2)], What.RESTORE),
    ("a newer revision", stored(schedule(3)), [fact(1), fact(2)], What.TELL),
    ("never heard of", stored(schedule(1)), [], What.TELL),
    ("the same revision of another time, older", stored(schedule(2, 1)), [fact(2)], What.RESTORE),
    ("the same revision of another time, newer", stored(schedule(2, 9)), [fact(2)], What.TELL),
    ("deleted later", stored(schedule(1)), [fact(1), fact(2, "deleted")], What.DELETE),
    ("saved after it was deleted", stored(schedule(3)), [fact(2, "deleted")], What.TELL),
    ("saved as it was deleted", stored(schedule(2)), [fact(2, "deleted")], What.LEAVE),
    ("rewritten by plain code", stored(schedule(2), rewritten=True), [fact(2)], What.LEAVE),
    (
        "rewritten by plain code, then set back",
        stored(schedule(1), rewritten=True),
        [fact(2)],
        What.RESTORE,
    ),
    ("plain, never ours", stored(schedule(0), plain=True), [], What.LEAVE),
    (
        "plain, was ours and deleted",
        stored(schedule(0), plain=True),
        [fact(2, "deleted")],
        What.LEAVE,
    ),
    ("our field lost", stored(schedule(2), plain=True), [fact(2)], What.RESTORE),
    ("unreadable, and saved", BROKEN, [fact(2)], What.RESTORE),
    ("unreadable, and never heard of", BROKEN, [], What.LEAVE),
    ("unreadable, and deleted", BROKEN, [fact(3, "deleted")], What.DELETE),
    ("not in the list of due times", stored(schedule(2), score=None), [fact(2)], What.RESTORE),
    ("a deleted one's leftover", stored(schedule(2), score=None), [fact(3, "deleted")], What.LEAVE),
    ("a copy of another entry", stored(schedule(2)), [fact(2, name="other")], What.LEAVE),
    (
        "edited after a set back",
        stored(schedule(2, 9)),
        [fact(2), fact(3), fact(2, key=4, minutes=9)],
        What.COMPARE,
    ),
    (
        "the name taken by another",
        ABSENT,
        [fact(1), fact(1, uid="b", key=2, minutes=2)],
        What.RESTORE,
    ),
    ("the other deleted", ABSENT, [fact(1), fact(2, "deleted", uid="b", minutes=2)], What.LEAVE),
]


@pytest.mark.parametrize(
    ("held", "facts", "what"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_what_is_done(held: RawEntry, facts: list[Saved], what: What) -> None:
    assert decide(held, book(*facts)).what is what


def test_the_last_word_does_not_depend_on_clocks_where_revisions_grow() -> None:
    assert is_newer(fact(5, minutes=1, key=9), fact(4, minutes=3, key=8))
    assert not is_newer(fact(4, minutes=1, key=9), fact(5, minutes=3, key=8))


def test_healing_is_the_last_word_about_the_revision_it_put_back() -> None:
    read = book(fact(2), fact(2, "healed", key=3, minutes=5, saved=NOON + 2 * MINUTE))
    assert decide(stored(schedule(2)), read).what is What.COMPARE


def test_content_is_compared_with_what_older_versions_wrote() -> None:
    held = schedule(2)
    written = held.to_json()
    for later in ("policies", "window", "paused", "skips"):
        del written[later]
    assert same_content(held, written)
    assert not same_content(held, {**written, "notes": "other"})
    assert same_content(held, {**written, "of a later version": 1})
    assert same_content(held, None)
