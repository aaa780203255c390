"""The app with a soft shutdown of two seconds: `celery -A tests.support.hurried worker`."""

from scheduler.celery import app

app.conf.worker_soft_shutdown_timeout = 2.0

__all__ = ["app"]
