"""Readers of records in Redis, which anybody with the right to write to Redis may have written."""

import json
from contextlib import suppress
from typing import Any

from scheduler.beat import heartbeat
from scheduler.catalogue.catalogue import job_of, refill_of, worker_of
from scheduler.errors import UnreadableEntry
from scheduler.events import bounds, letter_text, redaction, schema, secret_names, tolerance
from scheduler.events.letter_text import DeadLetter
from scheduler.events.schema import RunFacts, RunQueued, run_event
from scheduler.healing import notices
from scheduler.ledger import surroundings
from scheduler.publishing import outbox
from scheduler.queues import unread
from scheduler.redbeat import codec, memory, quarantine, usual_entry, waiting
from scheduler.redbeat.call import stored_call
from scheduler.redbeat.codec import Raw
from scheduler.runs import cancellations, lease_record
from scheduler.schedules import calendar_cache, pause_all, same_call
from scheduler.schedules.raw_entry import RawEntry, remains_of
from tests.fuzz.reader import Reader
from tests.fuzz.rule_readers import NOW
from tests.support.schedules.raw_entries import definition

LONGEST_RECORD = 100_000
"""Characters: a record grows with arguments of a job, of which 64 kB are allowed."""

RULE = {"__type__": "rrule", "freq": "DAILY", "dtstart": 1_700_000_000, "dtstart_tz": 0}
DEFINITION = definition(name="plain", kwargs={"days": 1})
TYPED = definition(name="plain", schedule=RULE)
EXTRA = (
    '{"v": 1, "uid": "00000000-0000-4000-8000-000000000000", "revision": 3, "digest": "x",'
    ' "timezone": "Europe/Berlin", "policies": {"overlap": "skip"}, "tags": ["a"],'
    ' "paused": {"reason": "r", "by": "b", "since": "2026-11-21T12:00:00Z", "until": null}}'
)
META = memory.encode_meta(memory.Meta(NOW, 7))
EVENT = schema.encode(run_event(RunQueued, "r", 1, NOW, facts=RunFacts(job="j")))[schema.FIELD]


def read_entry(text: str) -> None:
    """Decode a definition, and the call in it; of an unreadable one, what remains."""
    raw = Raw(text, META, None)
    try:
        entry = codec.decode("plain", raw)
    except UnreadableEntry as error:
        quarantine.encode(str(error), raw, NOW)
        remains_of(RawEntry("plain", raw, static=False, score=NOW.timestamp()))
        return
    same_call.call_of(RawEntry("plain", raw, static=False, score=NOW.timestamp()))
    with suppress(Exception):  # as RedBeat's decoder: Beat quarantines the entry
        stored_call(entry, text)


def read_letter(text: str) -> None:
    """Show a dead letter."""
    raw = {schema.FIELD: text.encode("utf-8", "replace"), "queue": b"q"}
    letter = DeadLetter("1-1", "1-1", text, raw, NOW, 1, 0, "1-1")
    letter_text.content_of(letter)
    letter_text.texts_of(letter)
    letter_text.error_of(letter)


def read_outbox(text: str) -> None:
    """Decode an entry of the outbox."""
    outbox.entry_of("1-1", {outbox.FIELD: text})


def masked(text: str) -> None:
    """Mask a text, and the JSON in it."""
    bounds.masked_text(text)
    bounds.bounded_text(text, 500)
    value: Any = text
    with suppress(ValueError, RecursionError):
        value = json.loads(text)
    bounds.masked(value)
    bounds.bounded_json(value, 500)
    bounds.masked_arguments([value, text], ["days"])


_RECORDS: dict[str, Reader] = {
    "scheduler.redbeat.codec": Reader(read_entry, (DEFINITION, TYPED), LONGEST_RECORD),
    "scheduler.redbeat.codec rule": Reader(
        lambda text: read_entry(DEFINITION.replace('"minute": "0"', f'"minute": {text}')),
        ('"*/5"', '"0,30"', "7"),
        LONGEST_RECORD,
    ),
    "scheduler.redbeat.extra_field": Reader(
        lambda text: codec.decode("plain", Raw(DEFINITION, META, text)),
        (EXTRA, EXTRA.replace('"tags"', '"when": {"kind": "interval", "every": 5}, "tags"')),
        LONGEST_RECORD,
    ),
    "scheduler.redbeat.memory": Reader(
        memory.decode_meta, (META, '{"last_run_at": null}'), LONGEST_RECORD
    ),
    "scheduler.redbeat.memory fast": Reader(memory.decode_memory, (META,), LONGEST_RECORD),
    "scheduler.redbeat.usual_entry": Reader(
        lambda text: usual_entry.recognise("plain", text, text), (DEFINITION, EXTRA), LONGEST_RECORD
    ),
    "scheduler.redbeat.waiting": Reader(
        waiting.read,
        ("2026-11-21T12:00:00Z", "2026-11-21T12:00:00Z backfill ann@example.org"),
        errors=(ValueError,),
    ),
    "scheduler.redbeat.quarantine": Reader(
        lambda text: quarantine.reason_of(text, Raw("{}", None, None)),
        (quarantine.encode("why", Raw("{}", None, None), NOW),),
        LONGEST_RECORD,
    ),
    "scheduler.events.schema": Reader(
        lambda text: schema.decode({schema.FIELD: text}), (EVENT,), LONGEST_RECORD
    ),
    "scheduler.events.tolerance": Reader(
        lambda text: tolerance.is_from_newer_version(text, [], frozenset(), 1),
        (EVENT,),
        LONGEST_RECORD,
    ),
    "scheduler.events.letter_text": Reader(read_letter, (EVENT,), 40_000),
    "scheduler.events.bounds": Reader(
        masked, ('{"password": "x", "a": ["Bearer y", 1]}', "host=a password=b"), 15_000
    ),
    "scheduler.events.redaction": Reader(
        lambda text: redaction.without_secrets(text, "***"),
        ("postgresql://u:p@h/d?password=x", "Authorization: Bearer abc", "PWD=x; token: y"),
        40_000,
    ),
    "scheduler.events.secret_names": Reader(
        secret_names.is_secret, ("api_key", "clientSecretValue"), LONGEST_RECORD
    ),
    "scheduler.runs.lease_record": Reader(
        lease_record.lease_of,
        (
            lease_record.received_text("u", "n", 1, "w@h"),
            lease_record.owner_text("u", "n", facts=RunFacts(job="j")),
        ),
        LONGEST_RECORD,
        (ValueError,),
    ),
    "scheduler.runs.cancellations": Reader(
        cancellations.actor_of, ('{"actor": "ann", "at": "2026-11-21T12:00:00"}',), LONGEST_RECORD
    ),
    "scheduler.publishing.outbox": Reader(
        read_outbox,
        ('{"job": "j", "args": [], "kwargs": {}, "options": {"task_id": "r", "headers": {}}}',),
        LONGEST_RECORD,
        (ValueError,),
    ),
    "scheduler.schedules.calendar_cache": Reader(
        lambda text: calendar_cache.decode("c", text),
        (
            '{"name": "c", "timezone": "UTC", "uid": "u", "days": [{"first": "2026-12-24",'
            ' "last": "2026-12-25"}], "revision": 1, "updated_by": "b",'
            ' "updated_at": "2026-11-21T12:00:00Z"}',
        ),
        LONGEST_RECORD,
    ),
    "scheduler.schedules.pause_all": Reader(
        pause_all.pause_of,
        ('{"reason": "r", "by": "b", "since": "2026-11-21T12:00:00Z"}',),
        LONGEST_RECORD,
    ),
    "scheduler.catalogue.catalogue job": Reader(
        job_of, ('{"name": "j", "parameters": []}',), LONGEST_RECORD
    ),
    "scheduler.catalogue.catalogue worker": Reader(
        worker_of,
        ('{"name": "w", "host": "h", "pid": 1, "at": "2026-11-21T12:00:00Z"}',),
        LONGEST_RECORD,
    ),
    "scheduler.catalogue.catalogue": Reader(
        refill_of, ('{"worker": "w", "at": "2026-11-21T12:00:00+00:00"}',), LONGEST_RECORD
    ),
    "scheduler.beat.heartbeat": Reader(
        heartbeat.heartbeat_of,
        ('{"name": "b", "at": "2026-11-21T12:00:00Z", "host": "h", "pid": 1, "leads": true}',),
        LONGEST_RECORD,
    ),
    "scheduler.healing.notices": Reader(
        notices.notice_of, ('{"at": "2026-11-21T12:00:00+00:00", "text": "t"}',), LONGEST_RECORD
    ),
    "scheduler.queues.unread": Reader(
        lambda text: unread.queue_of("q", text),
        (
            '{"since": "2026-11-21T12:00:00+00:00", "waiting": 3,'
            ' "at": "2026-11-21T12:00:00+00:00"}',
        ),
        LONGEST_RECORD,
    ),
    "scheduler.ledger.surroundings": Reader(
        lambda text: surroundings.sign_of("r", text),
        ('{"at": "2026-11-21T12:00:00+00:00", "host": "h"}',),
        LONGEST_RECORD,
    ),
}


def _as_of_redis(reader: Reader) -> Reader:
    """Return a reader whose text is what our client makes of any bytes."""

    def read(text: str) -> Any:
        raw = text.encode("utf-8", "surrogatepass")
        return reader.read(raw.decode("utf-8", "surrogateescape"))

    return reader._replace(read=read)


STORED = {name: _as_of_redis(reader) for name, reader in _RECORDS.items()}
