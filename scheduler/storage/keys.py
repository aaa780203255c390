"""Every Redis key, stream, group, channel and lock name. No other module spells one.

RedBeat's own names follow its defaults (celery-redbeat 2.4: prefix `redbeat:`, and `:` before its
own words).
"""

from typing import NamedTuple

REDBEAT_PREFIX = "redbeat:"
"""Before the name of each schedule: its hash."""

SCHEDULE_ZSET = REDBEAT_PREFIX + ":schedule"
"""The keys of all schedules, by the time when Beat looks at each next; -1 for those that wait
for nobody.
"""

STATICS_SET = REDBEAT_PREFIX + ":statics"
"""The names of static entries, which `beat_schedule` defines."""

BEAT_LOCK = REDBEAT_PREFIX + ":lock"
"""Which Beat leads."""

DEFINITION_FIELD = "definition"
"""The field of an entry's hash with RedBeat's definition: when, and which task with which
arguments.
"""

META_FIELD = "meta"
"""The field of an entry's hash with RedBeat's memory: when it ran last, and how often it ran."""

EXTRA_FIELD = "beatdesk"
"""The field of an entry's hash that is ours. Stock RedBeat reads `definition` and `meta` only."""

EVENTS_STREAM = "beatdesk:events"
"""Events that are not recorded in SQL yet."""

EVENTS_GROUP = "recorder"
"""The consumer group of the recorders on that stream."""

DEAD_LETTERS_STREAM = "beatdesk:dead-letters"
"""Events that could not be recorded, with the reason."""

BEAT_EPOCH = "beatdesk:beat-epoch"
"""How often a Beat of ours has begun to lead."""

BEATS_HASH = "beatdesk:beats"
"""What each Beat of ours said of itself lately, by its name."""

BEAT_VOUCHED = "beatdesk:beat-vouched"
"""The life of the server in which Beat was told that Redis remembers what was fired."""

ASIDE_HASH = "beatdesk:aside"
"""Why Beat has set an entry aside, by its name."""

OUTBOX_STREAM = "beatdesk:outbox"
"""Runs on their way to a broker that is not this Redis."""

OUTBOX_DOUBTS_ZSET = "beatdesk:outbox-doubts"
"""Runs that may be in that broker twice, by the time at which it was feared."""

OUTBOX_CLAIMS_HASH = "beatdesk:outbox-claims"
"""Which of its messages has become a run that came by the outbox."""

OUTBOX_CLAIMS_ZSET = "beatdesk:outbox-claims-until"
"""These runs, by the time until which that is remembered."""

WAKE_CHANNEL = "beatdesk:wake"
"""The channel on which edits, and ends of runs that ticks wait for, wake Beat."""

CATALOGUE_HASH = "beatdesk:catalogue"
"""The jobs that workers offer, as JSON, by name."""

WORKERS_HASH = "beatdesk:workers"
"""The newest heartbeat of each worker, by its name."""

RECORDERS_HASH = "beatdesk:recorders"
"""The newest heartbeat of each recorder, by its name."""

CANCELLED_HASH = "beatdesk:cancelled"
"""Runs that somebody has cancelled before a worker began them."""

EVERYTHING_PAUSED = "beatdesk:everything-paused"
"""Why, by whom and until when everything is paused; missing otherwise."""

HEALER_LOCK = "beatdesk:healer"
"""Which recorder repairs Redis from the history."""

CHECK_ASKED = "beatdesk:check-asked"
"""A request of a Beat that starts: compare Redis with the history."""

CHECK_ANSWERED = "beatdesk:check-answered"
"""The answer to it."""

STATICS_PUBLISHED = "beatdesk:code-word"
"""There where a Beat has told which static entries there are, so that one that is gone was dropped
by the code.
"""

NOTICES_LIST = "beatdesk:notices"
"""What was repaired lately."""

LEASES_ZSET = "beatdesk:leases"
"""Every run of a schedule that is not final, by the time until which it counts as alive."""

LEASE_OWNERS_HASH = "beatdesk:lease-owners"
"""What is known of each of them: see `runs.leases`."""

ALIVE_PREFIX = "beatdesk:alive:"
"""Before a schedule's uid: its runs that are not final, by the same time."""

WAITING_PREFIX = "beatdesk:waiting:"
"""Before a schedule's uid: its ticks that are held until the run before them has ended."""

FAILURES_HASH = "beatdesk:failures"
"""How many ticks in a row have failed, by schedule, where its policies ask."""

CALENDARS_HASH = "beatdesk:calendars"
"""The exclusion calendars, as JSON, by name."""

CALENDAR_VERSIONS_HASH = "beatdesk:calendar-versions"
"""A fingerprint of each, by name, so that a look need not carry the whole calendar."""

CHORDS_PREFIX = "beatdesk:chords:"
"""Before the parts of chords whose body has not been sent yet."""

LIMITS_PREFIX = "beatdesk:limits"
"""Before the console's counts of wrong logins."""


class Names(NamedTuple):
    """RedBeat's own names, for the Celery app at hand."""

    prefix: str = REDBEAT_PREFIX
    schedule: str = SCHEDULE_ZSET
    statics: str = STATICS_SET
    lock: str = BEAT_LOCK


def entry(name: str) -> str:
    """The hash of the schedule called `name`."""
    return REDBEAT_PREFIX + name


def schedule_name(key: str) -> str:
    """The name of the schedule whose hash is `key`."""
    return key.removeprefix(REDBEAT_PREFIX)


def under(prefix: str) -> tuple[str, str]:
    """RedBeat's due times and its names of static entries, under another key prefix than ours."""
    return prefix + SCHEDULE_ZSET.removeprefix(REDBEAT_PREFIX), prefix + STATICS_SET.removeprefix(
        REDBEAT_PREFIX
    )
