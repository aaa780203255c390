"""Runs: the Celery app, what workers report, and how operators start runs."""
