"""Many schedules at once: kept as YAML in Git, planned and applied; and brought in from where they
live today.

    yaml_text            YAML <-> plain data, read safely, with the line of everything
    yaml_set             plain data <-> a set: what operators say of their schedules
    yaml_calendars       plain data <-> the exclusion calendars of a set
    faults               what is wrong with a set, and on which line
    export, plan, apply  what is stored -> YAML; a set -> what it would change; a plan -> the store
    crontab_file, redbeat_prefix, django_celery_beat
                         where schedules live today -> what was found there
    importing            what was found -> what is taken, and what is refused and why

Nothing here writes to what it imports from.
"""
