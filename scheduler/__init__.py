"""Beatdesk's engine: edit -> Redis -> Beat -> queue -> worker -> stream -> SQL.

The folders are the product's nouns, in the order in which the data flows:

    settings/    what the operator of the machine has set
    storage/     Redis: client, keys, scripts
    rules/       what a schedule means: pure functions of their arguments
    events/      the event vocabulary, and the stream that carries events
    redbeat/     RedBeat's stored format, and our field beside it
    schedules/   schedules and calendars in Redis: read, list, edit
    dispatch/    what becomes of a tick, for both Beats
    beat/        our Beat, with its fast path, and the adapter for stock RedBeat
    publishing/  from a call to a message in a queue
    worker/      from a message to the events of its run
    runs/        a run's data: headers, lease, control
    history/     events folded into SQL, and the queries
    healing/     what Redis has lost is put back from the history
    sets/        many schedules at once: as YAML, and from elsewhere
    jobs/        the jobs that come with Beatdesk
    cli/         the `beatdesk` command

ARCHITECTURE.md has all of them, with floors and fences.

This module imports nothing, so that `celery -A scheduler` finds `scheduler/celery.py` and the pure
parts load without Celery.
"""
