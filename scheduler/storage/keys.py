"""The names of all Redis keys, streams, groups, channels and locks. No other module spells a name.

RedBeat's names follow RedBeat's defaults (celery-redbeat 2.4): the prefix `redbeat:`, and another
`:` before names that are not entries.
"""

from typing import NamedTuple

REDBEAT_PREFIX = "redbeat:"
"""Before the name of each schedule: the schedule's hash."""

SCHEDULE_ZSET = REDBEAT_PREFIX + ":schedule"
"""Keys of all schedules, by the time of Beat's next look; -1 for entries without a next look."""

STATICS_SET = REDBEAT_PREFIX + ":statics"
"""Names of the static entries, defined by `beat_schedule`."""

TOMBSTONES_HASH = "beatdesk:deleted"
"""Revisions with which schedules were deleted, by uid: a restored history must not revive them."""

TOMBSTONES_ZSET = "beatdesk:deleted-at"
"""Schedules in TOMBSTONES_HASH, by the time of the deletion."""

BEAT_LOCK = REDBEAT_PREFIX + ":lock"
"""The leading Beat's lock."""

DEFINITION_FIELD = "definition"
"""The field of an entry's hash with RedBeat's definition: rule, task and arguments."""

META_FIELD = "meta"
"""The field of an entry's hash with RedBeat's memory: time of the last run, number of runs."""

EXTRA_FIELD = "beatdesk"
"""Beatdesk's field of an entry's hash. Stock RedBeat reads `definition` and `meta` only."""

EVENTS_STREAM = "beatdesk:events"
"""Events not yet recorded in SQL."""

EVENTS_GROUP = "recorder"
"""The consumer group of the recorders on EVENTS_STREAM."""

DEAD_LETTERS_STREAM = "beatdesk:dead-letters"
"""Events that could not be recorded, with the reason."""

NEWER_EVENTS_STREAM = "beatdesk:newer-events"
"""Events of a newer version, until a recorder of that version records them."""

HISTORY_HASH = "beatdesk:history"
"""The history that was recorded into last: its id, its committed batches, the time of the last."""

BEAT_EPOCH = "beatdesk:beat-epoch"
"""The number of changes of the leading Beat: a fencing token."""

BEATS_HASH = "beatdesk:beats"
"""The latest heartbeat of each Beat, by the Beat's name."""

BEAT_VOUCHED = "beatdesk:beat-vouched"
"""The run id of the Redis server that has passed Beat's startup check."""

ASIDE_HASH = "beatdesk:aside"
"""Quarantine records by entry name: see `redbeat.quarantine`."""

OUTBOX_STREAM = "beatdesk:outbox"
"""Runs to be published to a broker other than this Redis."""

OUTBOX_DOUBTS_ZSET = "beatdesk:outbox-doubts"
"""Runs with a possible second message, by the time of the doubtful attempt."""

OUTBOX_CLAIMS_HASH = "beatdesk:outbox-claims"
"""The accepted message of each run from the outbox, for deduplication."""

OUTBOX_CLAIMS_ZSET = "beatdesk:outbox-claims-until"
"""Runs with an accepted message, by the expiry of the claim."""

WAKE_CHANNEL = "beatdesk:wake"
"""The channel that wakes Beat after edits, and after the ends of runs with waiting ticks."""

CATALOGUE_HASH = "beatdesk:catalogue"
"""The jobs offered by workers, as JSON, by name."""

CATALOGUE_REFILLED = "beatdesk:catalogue-refilled"
"""When a worker had to publish its jobs again, because Redis had lost them; for an hour."""

WORKERS_HASH = "beatdesk:workers"
"""The newest heartbeat of each worker, by the worker's name."""

RECORDERS_HASH = "beatdesk:recorders"
"""The newest heartbeat of each recorder, by the recorder's name."""

CANCELLED_HASH = "beatdesk:cancelled"
"""Cancelled runs of the last week, with actor and moment."""

CANCELLED_ZSET = "beatdesk:cancelled-at"
"""Runs in CANCELLED_HASH, by the time of the cancellation."""

EVERYTHING_PAUSED = "beatdesk:everything-paused"
"""Reason, actor and end of the pause of everything; missing without such a pause."""

HEALER_LOCK = "beatdesk:healer"
"""The lock of the recorder that repairs Redis from the history."""

AUDIT_LOCK = "beatdesk:audit"
"""The lock of the recorder that compares unfinished runs with the broker's messages."""

UNREAD_HASH = "beatdesk:unread-queues"
"""Queues in which messages wait and that no worker reads: since when, and how many."""

LEDGER_LOCK = "beatdesk:ledger-watch"
"""The lock of the recorder that watches the ledger."""

LEDGER_CHECKED = "beatdesk:ledger-checked"
"""The moment up to which the ledger has no holes, as far as its watcher has compared."""

SURROUNDINGS_SEEN = "beatdesk:surroundings-seen"
"""The moment at which a recorder last looked who is there: a gap is an outage."""

CHECK_QUESTION = "beatdesk:check-asked"
"""A request of a starting Beat: compare Redis with the history."""

CHECK_ANSWER = "beatdesk:check-answered"
"""The answer to CHECK_QUESTION."""

STATICS_PUBLISHED = "beatdesk:code-word"
"""Exists once a Beat has published the static entries: only the code drops entries afterwards."""

NOTICES_LIST = "beatdesk:notices"
"""Recent repairs by the healer."""

LEASES_ZSET = "beatdesk:leases"
"""Unfinished runs, by the expiry of the lease."""

LEASE_OWNERS_HASH = "beatdesk:lease-owners"
"""The lease record of each run in LEASES_ZSET: see `runs.leases`."""

ENDED_ZSET = "beatdesk:ended"
"""Runs, and attempts as `run retries`, whose end is recorded and whose message is not acknowledged
yet, by the time at which they are forgotten.
"""

DELIVERIES_HASH = "beatdesk:deliveries"
"""Deliveries of a run whose worker ended, as `begun all`: see `runs.deliveries`."""

DELIVERIES_ZSET = "beatdesk:deliveries-until"
"""Runs in DELIVERIES_HASH, by the time at which they are forgotten."""

ALIVE_PREFIX = "beatdesk:alive:"
"""With a schedule's uid: the schedule's runs in LEASES_ZSET, by the expiry of the lease."""

WAITING_PREFIX = "beatdesk:waiting:"
"""With a schedule's uid: the schedule's waiting ticks: see `redbeat.waiting`."""

FAILURES_HASH = "beatdesk:failures"
"""The number of failed ticks in a row by schedule, for the policy `pause_after_failures`."""

CALENDARS_HASH = "beatdesk:calendars"
"""The exclusion calendars as JSON, by name."""

CALENDAR_VERSIONS_HASH = "beatdesk:calendar-versions"
"""Fingerprints of calendars by name, so that readers fetch changed calendars only."""

CHORDS_PREFIX = "beatdesk:chords:"
"""With a chord's id: the finished parts of a chord whose body has not been sent yet."""

LIMITS_PREFIX = "beatdesk:limits"
"""Before the counters of the console's login limits."""


BINDINGS_PREFIX = "_kombu.binding."
"""Before the name of an exchange: kombu's set of its bindings.

Each is routing key, pattern and queue, with kombu's mark between.
"""

# Kombu's mark between the name of a queue and a priority, and in bindings; no key.
_MARK = "\x06\x16"

PRIORITY_STEPS = ("", *(f"{_MARK}{priority}" for priority in (3, 6, 9)))
"""What kombu's Redis transport puts behind a queue's name for the list of each priority."""


class Names(NamedTuple):
    """RedBeat's names as configured in a Celery app."""

    prefix: str = REDBEAT_PREFIX
    schedule: str = SCHEDULE_ZSET
    statics: str = STATICS_SET
    lock: str = BEAT_LOCK


def entry(name: str) -> str:
    """Return the key of the hash of the schedule called `name`."""
    return REDBEAT_PREFIX + name


def queue_of_list(key: str) -> str:
    """Return the queue to which a list belongs, whatever its priority."""
    return key.partition(_MARK)[0]


def queue_of_binding(member: str) -> str:
    """Return the queue of a member of a set of bindings."""
    return member.rpartition(_MARK)[2]


def schedule_name(key: str) -> str:
    """Return the name of the schedule stored under this key."""
    return key.removeprefix(REDBEAT_PREFIX)


def under(prefix: str) -> tuple[str, str]:
    """Return RedBeat's keys of due times and of static names under another key prefix."""
    due = prefix + SCHEDULE_ZSET.removeprefix(REDBEAT_PREFIX)
    statics = prefix + STATICS_SET.removeprefix(REDBEAT_PREFIX)
    return due, statics
