"""Beatdesk's engine: edit -> Redis -> Beat -> queue -> worker -> stream -> SQL.

The folders are the product's nouns, in the order of the data's way:

    settings/    the settings of the machine's operator
    storage/     Redis: client, keys, scripts
    rules/       the meaning of schedules: pure functions of their arguments
    events/      the event vocabulary, and the stream of events
    redbeat/     RedBeat's stored format, and Beatdesk's field beside it
    schedules/   schedules and calendars in Redis: read, list, edit
    dispatch/    the decision about a tick, for both Beats
    beat/        Beatdesk's Beat, with its fast path, and the adapter for stock RedBeat
    publishing/  from a call to a message in a queue
    worker/      from a message to the events of its run
    runs/        a run's data: headers, lease, control
    history/     events folded into SQL, and the queries
    healing/     repair of Redis from the history
    sets/        many schedules at once: as YAML, and from elsewhere
    jobs/        Beatdesk's own jobs
    cli/         the `beatdesk` command

ARCHITECTURE.md has all folders, with floors and fences.

This module imports nothing, so that `celery -A scheduler` finds `scheduler/celery.py` and the pure
parts load without Celery.
"""
