"""Many schedules at once: stored as YAML in Git, planned and applied; and imported from crontab,
another RedBeat or django-celery-beat.

    yaml_text            YAML <-> plain data, read safely, with the line of every value
    yaml_set             plain data <-> a set: the operator's part of each schedule
    yaml_calendars       plain data <-> the exclusion calendars of a set
    faults               the faults of a set, with their lines
    export, plan, apply  the store -> YAML; a set -> its changes; a plan -> the store
    crontab_file, redbeat_prefix, django_celery_beat
                         foreign schedules -> candidates
    importing            candidates -> schedules, or refusals with reasons

The source of an import is never written to.
"""
