"""Dead letters: sent back they are recorded once, as if they had come in time; nothing is lost
on the way.
"""

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from redis import Redis
from sqlalchemy import Engine, text

from scheduler.errors import NotFound, Refused
from scheduler.events.dead_letters import BATCH, MOST_FIELDS, MOST_LETTERS, PAST, DeadLetters
from scheduler.events.schema import (
    FIELD,
    DeadLettersRetried,
    RunReceived,
    RunStarted,
    encode,
    run_event,
)
from scheduler.events.stream import EventStream
from scheduler.history.queries.history import History
from scheduler.history.recording.projector import fold
from scheduler.history.recording.recorder import TRIES
from scheduler.history.recording.rows import Rows
from scheduler.history.recording.writer import write_events
from scheduler.rules.model.edit import Edit
from scheduler.runs.leases import LeasedStream
from scheduler.storage import keys
from tests.support.builders import NOON, a_schedule, facts_of
from tests.support.history.recording import (
    KILLED_BEFORE_ACK,
    POISON,
    MakeRecorder,
    record_all,
    some_runs,
)
from tests.support.history.stored import rows_in, states_in
from tests.support.processes import ROOT
from tests.support.valkey import ValkeyServer

EDIT = Edit(actor="ada@example.org", comment="the index is gone", now=NOON)


@pytest.fixture
def letters(redis: Redis) -> DeadLetters:
    return DeadLetters(redis)


@pytest.fixture
def jobs_differ(engine: Engine) -> Callable[[], None]:
    """The database refuses a second run of any job, until the function that this is has been
    called.
    """
    with engine.begin() as connection:
        connection.execute(text("CREATE UNIQUE INDEX jobs_differ ON runs (job)"))

    def mend() -> None:
        with engine.begin() as connection:
            connection.execute(text("DROP INDEX jobs_differ"))

    return mend


def some_letters(redis: Redis, count: int, **more: str) -> list[str]:
    """Dead letters as this version writes them, oldest first; their events tell a number."""
    with redis.pipeline() as pipe:
        for number in range(count):
            pipe.xadd(
                keys.DEAD_LETTERS_STREAM,
                {
                    "entry": f"{number + 1}-0",
                    "error": "ValueError: no",
                    "field:event": str(number),
                    **more,
                },
            )
        return [str(letter) for letter in pipe.execute()]


def told(redis: Redis) -> list[str]:
    """What the events in the stream tell, in order."""
    return [fields[FIELD] for _, fields in redis.xrange(keys.EVENTS_STREAM)]


def test_what_is_retried_once_the_cause_is_mended_is_recorded_as_if_it_had_come_in_time(
    stream: EventStream,
    letters: DeadLetters,
    engine: Engine,
    make_recorder: MakeRecorder,
    jobs_differ: Callable[[], None],
) -> None:
    events = some_runs(3)
    stream.append_many(events)
    record_all(make_recorder())
    assert rows_in(engine) != fold(Rows(), events)
    count = letters.count()
    assert count >= 2
    jobs_differ()
    newest = letters.newest()
    assert newest is not None
    assert letters.retry_all(newest, EDIT) == count
    record_all(make_recorder())
    assert rows_in(engine) == fold(Rows(), events)
    assert (letters.count(), stream.length()) == (0, 0)


def test_who_retried_what_and_why_stands_among_the_changes_once(
    redis: Redis, letters: DeadLetters, engine: Engine, make_recorder: MakeRecorder
) -> None:
    redis.xadd(keys.EVENTS_STREAM, encode(POISON))
    redis.xadd(keys.EVENTS_STREAM, {"event": "nonsense"})
    record_all(make_recorder())
    letters.drop([letter.id for letter in letters.page().items], EDIT)
    (event,) = [EventStream(redis).read("peer", 10)[0].fields]
    redis.xadd(keys.EVENTS_STREAM, event)
    record_all(make_recorder("peer"))
    (change,) = History(engine).changes(of="dead_letter").items
    assert (change.action, change.actor, change.comment, change.at) == (
        "dropped",
        EDIT.actor,
        EDIT.comment,
        NOON,
    )
    assert {one["kind"] for one in change.letters} == {"run.started", ""}
    assert {one["error"][:16] for one in change.letters} == {"UnfoldableEvent:", "UndecodableEvent"}
    assert change.name.endswith(" and 1 more")
    assert change.revision is None
    assert History(engine).changes().items == [change]


def test_a_letter_that_fails_again_comes_back_and_says_how_often_it_was_tried(
    stream: EventStream, letters: DeadLetters, make_recorder: MakeRecorder
) -> None:
    stream.append(POISON)
    record_all(make_recorder())
    (before,) = letters.page().items
    assert (before.tries, before.retries, before.first) == (TRIES, 0, before.entry)
    for retries in (1, 2):
        (letter,) = letters.page().items
        letters.retry([letter.id], EDIT)
        record_all(make_recorder())
        (after,) = letters.page().items
        assert (after.tries, after.retries) == (TRIES * (retries + 1), retries)
        assert after.first == before.entry
        assert after.entry != letter.entry
        assert (after.raw, after.error) == (before.raw, before.error)
        with pytest.raises(NotFound, match=letter.id):
            letters.get(letter.id)


def test_an_event_that_is_no_text_comes_back_byte_for_byte(
    redis: Redis, valkey: ValkeyServer, letters: DeadLetters, make_recorder: MakeRecorder
) -> None:
    raw = {b"event": b"\xff\xfe{", b"more \xe9": b"\x00\x01"}
    redis.xadd(keys.EVENTS_STREAM, raw)  # type: ignore[arg-type]
    record_all(make_recorder())
    (letter,) = letters.page().items
    assert letter.raw["event"] == raw[b"event"]
    assert letter.fields["event"] == "\ufffd\ufffd{"
    letters.retry([letter.id], EDIT)
    with Redis.from_url(valkey.url) as client:
        (_, fields), _told = client.xrange(keys.EVENTS_STREAM)
    assert {name: value for name, value in fields.items() if name != PAST.encode()} == raw


def test_two_operators_at_the_same_moment_retry_a_letter_once(
    redis: Redis, valkey: ValkeyServer, letters: DeadLetters
) -> None:
    ids = some_letters(redis, 300)
    start = threading.Barrier(4)

    def press(number: int) -> list[str]:
        with valkey.client() as client:
            start.wait(30)
            try:
                return DeadLetters(client).retry(ids, replace(EDIT, actor=f"o{number}")).done
            except NotFound:
                return []

    with ThreadPoolExecutor(4) as pool:
        done = [letter for some in pool.map(press, range(4)) for letter in some]
    assert sorted(done) == sorted(ids)
    assert sorted(text for text in told(redis) if text.isdigit()) == sorted(
        str(number) for number in range(300)
    )
    assert letters.count() == 0
    handled = [one for text in told(redis) if not text.isdigit() for one in _letters_in(text)]
    assert sorted(handled) == sorted(ids)


def _letters_in(encoded: str) -> list[str]:
    return [letter.id for letter in DeadLettersRetried.model_validate_json(encoded).letters]


def test_a_retry_and_a_drop_of_one_letter_do_not_both_happen(
    redis: Redis, letters: DeadLetters
) -> None:
    one, other = some_letters(redis, 2)
    letters.retry([one], EDIT)
    with pytest.raises(NotFound, match="no dead letter"):
        letters.drop([one], EDIT)
    assert letters.drop([one, other, other], EDIT) == ([other], [one])
    assert [text for text in told(redis) if text.isdigit()] == ["0"]


def test_two_recorders_that_fail_on_one_event_make_one_letter_of_it(
    redis: Redis, stream: EventStream, letters: DeadLetters
) -> None:
    entry = str(redis.xadd(keys.EVENTS_STREAM, {"event": "nonsense"}))
    stream.read("r1", 10)
    assert letters.set_aside(entry, "no", 1) == (True, 0)
    assert letters.set_aside(entry, "no", 1) == (False, 0)
    assert (letters.count(), stream.length()) == (1, 0)


def test_a_retry_outlives_the_servers_death(
    redis: Redis, valkey: ValkeyServer, letters: DeadLetters
) -> None:
    first, second, third = some_letters(redis, 3)
    letters.retry([first], EDIT)
    letters.drop([second], EDIT)
    valkey.restart()
    assert [letter.id for letter in letters.page().items] == [third]
    assert [text for text in told(redis) if text.isdigit()] == ["0"]
    assert len(told(redis)) == 3


def test_a_recorder_killed_with_a_retried_event_loses_and_doubles_nothing(  # noqa: PLR0917
    stream: EventStream,
    valkey: ValkeyServer,
    letters: DeadLetters,
    engine: Engine,
    make_recorder: MakeRecorder,
    jobs_differ: Callable[[], None],
) -> None:
    events = some_runs(2)
    stream.append_many(events)
    record_all(make_recorder())
    jobs_differ()
    newest = letters.newest()
    assert newest is not None
    letters.retry_all(newest, EDIT)
    database = engine.url.render_as_string(hide_password=False)
    subprocess.run(
        [sys.executable, "-c", KILLED_BEFORE_ACK, valkey.url, database, "r2"], cwd=ROOT, check=False
    )
    assert stream.length() > 0, "the kill came before the acknowledgement"
    record_all(make_recorder("r2"))
    assert rows_in(engine) == fold(Rows(), events)
    assert len(History(engine).changes(of="dead_letter").items) == 1
    assert letters.count() == 0


def test_a_retried_event_moves_no_lease(
    redis: Redis, letters: DeadLetters, make_recorder: MakeRecorder
) -> None:
    schedule = a_schedule()
    received = run_event(RunReceived, "run-1", 1, NOON, worker="w1@host", facts=facts_of(schedule))
    LeasedStream(redis).append(received)
    assert redis.zcard(keys.LEASES_ZSET) == 1
    redis.delete(keys.LEASES_ZSET, keys.LEASE_OWNERS_HASH, keys.ALIVE_PREFIX + schedule.uid)
    (entry, _), *_ = redis.xrange(keys.EVENTS_STREAM)
    letters.set_aside(str(entry), "no", 1)
    letters.retry([letters.page().items[0].id], EDIT)
    record_all(make_recorder())
    assert redis.exists(keys.LEASES_ZSET, keys.LEASE_OWNERS_HASH) == 0


def test_a_start_that_is_retried_after_the_end_was_recorded_does_not_make_the_run_go_on(
    redis: Redis, letters: DeadLetters, engine: Engine, make_recorder: MakeRecorder
) -> None:
    queued, received, started, succeeded = some_runs(1)
    write_events(engine, [queued, received, succeeded])
    entry = str(redis.xadd(keys.EVENTS_STREAM, encode(started)))
    letters.set_aside(entry, "no", 1)
    letters.retry([letters.page().items[0].id], EDIT)
    record_all(make_recorder())
    assert states_in(engine) == {"run-0": "succeeded"}
    assert rows_in(engine) == fold(Rows(), [queued, received, started, succeeded])


def test_thousands_of_letters_are_paged_newest_first_and_retried_oldest_first(
    redis: Redis, letters: DeadLetters
) -> None:
    ids = some_letters(redis, 2_345)
    found: list[str] = []
    after, pages = None, 0
    while after is not None or not pages:
        page = letters.page(after, 1000)
        found += [letter.id for letter in page.items]
        after, pages = page.next, pages + 1
    assert (found, pages) == (ids[::-1], 3)
    assert letters.retry_all(ids[-46], EDIT) == 2_300
    assert [int(text) for text in told(redis) if text.isdigit()] == list(range(2_300))
    assert len(told(redis)) == 2_300 + 2_300 // BATCH
    assert [letter.id for letter in letters.page(limit=99).items] == ids[:-46:-1]
    assert letters.drop_all(ids[-1], EDIT) == 45


def test_when_there_is_no_room_the_oldest_letters_are_lost_and_the_recorder_says_so(
    redis: Redis,
    letters: DeadLetters,
    make_recorder: MakeRecorder,
    caplog: pytest.LogCaptureFixture,
) -> None:
    some_letters(redis, MOST_LETTERS + 500)
    redis.xadd(keys.EVENTS_STREAM, {"event": "nonsense"})
    make_recorder().run_once(NOON)
    assert MOST_LETTERS <= letters.count() <= MOST_LETTERS + 100
    assert "of the oldest dead letters are lost" in caplog.text
    (newest,) = letters.page(limit=1).items
    assert newest.fields == {"event": "nonsense"}


def test_a_letter_of_an_older_version_is_shown_and_retried(
    redis: Redis, letters: DeadLetters, engine: Engine, make_recorder: MakeRecorder
) -> None:
    (event,) = [run_event(RunStarted, "run-1", 1, NOON)]
    wire = {f"field:{name}": value for name, value in encode(event).items()}
    letter = str(redis.xadd(keys.DEAD_LETTERS_STREAM, {"entry": "17-0", "error": "no", **wire}))
    found = letters.get(letter)
    assert (found.tries, found.retries, found.first) == (None, 0, "17-0")
    letters.retry([letter], EDIT)
    assert redis.xrange(keys.EVENTS_STREAM)[0][1][PAST] == "0 1 17-0"
    record_all(make_recorder())
    assert states_in(engine) == {"run-1": "running"}


def test_an_entry_of_any_number_of_fields_becomes_a_letter_and_comes_back(
    redis: Redis, letters: DeadLetters, make_recorder: MakeRecorder
) -> None:
    redis.xadd(keys.EVENTS_STREAM, {f"f{number}": "x" for number in range(2 * MOST_FIELDS)})
    redis.xadd(keys.EVENTS_STREAM, {PAST: "1 2 x"})
    recorder = make_recorder()
    recorder.run_once(NOON)
    assert sorted(len(letter.raw) for letter in letters.page().items) == [0, MOST_FIELDS]
    newest = letters.newest()
    assert newest is not None
    letters.retry_all(newest, EDIT)
    record_all(recorder, NOON + timedelta(minutes=1))
    assert sorted((len(letter.raw), letter.retries) for letter in letters.page().items) == [
        (0, 3),
        (MOST_FIELDS, 1),
    ]


@pytest.mark.parametrize(
    "letter", ["", "x", "1", "-", "+", "1-", "1-2-3", "9" * 40 + "-0", "*", "💩"]
)
def test_what_is_no_id_is_no_letter(letters: DeadLetters, redis: Redis, letter: str) -> None:
    some_letters(redis, 1)
    for act in (
        letters.get,
        lambda one: letters.retry([one], EDIT),
        lambda one: letters.drop([one], EDIT),
    ):
        with pytest.raises(NotFound, match="beatdesk dead-letters list"):
            act(letter)
    for refuse in (letters.page, lambda one: letters.drop_all(one, EDIT)):
        if letter or refuse != letters.page:
            with pytest.raises(Refused, match=r"dead letter|not a place"):
                refuse(letter)
    assert letters.count() == 1
