"""Beatdesk's engine: edit -> Redis -> Beat -> queue -> worker -> stream -> SQL.

The folders are the product's nouns, in the order in which the data flows:

    rules/      what a schedule means: pure functions of their arguments
    schedules/  schedules as RedBeat entries in Redis, and how Beat reads them
    firing/     our own Beat: who leads, what is due, the transaction that fires it
    sets/       many schedules at once: as YAML to keep in Git, and from where they live today
    runs/       what happens to a message on a worker, and how operators start runs
    events/     the vocabulary of facts, and the stream that carries them
    history/    facts folded into SQL, and the questions asked of it
    jobs/       the jobs that come with Beatdesk
    outgoing/   requests and mails that leave the house at a job's word
    up/         all processes of one machine under one supervisor
    commands/   the `beatdesk` command

This module imports nothing, so that `celery -A scheduler` finds `scheduler/celery.py` and the pure
parts load without Celery.
"""
