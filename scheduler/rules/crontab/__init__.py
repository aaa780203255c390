"""Crontab expressions: Celery's five fields, and the wider dialect of the editor.

Of all rooms in `rules`, only this room may import Celery.
"""
