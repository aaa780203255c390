"""Every Redis key, stream, group, channel and lock name. No other module spells one.

RedBeat's own names follow its defaults (celery-redbeat 2.4: prefix `redbeat:`, and `:` before its
own words).
"""

from typing import NamedTuple

REDBEAT_PREFIX = "redbeat:"
SCHEDULE_ZSET = REDBEAT_PREFIX + ":schedule"
STATICS_SET = REDBEAT_PREFIX + ":statics"
BEAT_LOCK = REDBEAT_PREFIX + ":lock"

DEFINITION_FIELD = "definition"
META_FIELD = "meta"
EXTRA_FIELD = "beatdesk"
"""The field of an entry's hash that is ours. Stock RedBeat reads `definition` and `meta` only."""

EVENTS_STREAM = "beatdesk:events"
EVENTS_GROUP = "recorder"
DEAD_LETTERS_STREAM = "beatdesk:dead-letters"

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
CATALOGUE_HASH = "beatdesk:catalogue"
WORKERS_HASH = "beatdesk:workers"
RECORDERS_HASH = "beatdesk:recorders"
CANCELLED_HASH = "beatdesk:cancelled"
EVERYTHING_PAUSED = "beatdesk:everything-paused"
HEALER_LOCK = "beatdesk:healer"
CHECK_ASKED = "beatdesk:check-asked"
CHECK_ANSWERED = "beatdesk:check-answered"
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
