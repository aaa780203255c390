"""Sets of schedules: kept as YAML in Git, planned and applied; and brought in from where they live today.

yaml_text       YAML <-> plain data, read safely and with the line of everything
yaml_set        plain data <-> a set: what operators say of their schedules, checked as a whole
plan            a set and what is stored -> what would change. Pure
apply           a plan -> the store, all of it or nothing
sources/        a crontab file, a RedBeat prefix, django-celery-beat's tables -> candidates
importing       candidates -> what is taken, what is refused and why
"""
