"""Every Redis key, stream, group, channel and lock name. No other module spells one.

RedBeat's own names follow its defaults (celery-redbeat 2.4: prefix `redbeat:`, and `:` before its own words).
"""

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

WAKE_CHANNEL = "beatdesk:wake"
CATALOGUE_HASH = "beatdesk:catalogue"
WORKERS_HASH = "beatdesk:workers"
RECORDERS_HASH = "beatdesk:recorders"
CANCELLED_HASH = "beatdesk:cancelled"
LIMITS_PREFIX = "beatdesk:limits"
"""Before the console's counts of wrong logins."""


def entry(name: str) -> str:
    """The hash of the schedule called `name`."""
    return REDBEAT_PREFIX + name


def schedule_name(key: str) -> str:
    """The name of the schedule whose hash is `key`."""
    return key.removeprefix(REDBEAT_PREFIX)
