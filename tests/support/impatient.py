"""The app with short times, for tests of events that take a minute in production: `celery -A
tests.support.impatient worker`.
"""

from scheduler.celery import app
from scheduler.worker import heartbeat

heartbeat.EVERY_SECONDS = 0.5
app.conf.broker_transport_options = {
    **app.conf.broker_transport_options,
    "visibility_timeout": 3,
    "unacked_restore_interval": 1,
}

__all__ = ["app"]
