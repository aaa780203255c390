"""Crontab lines: Celery's five fields, and the wider dialect of the editor. Only this room may
import Celery.
"""
