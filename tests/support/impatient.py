"""The app with short times, for tests of events that take a minute in production: `celery -A
tests.support.impatient worker`.
"""

from scheduler.celery import app
from scheduler.runs import leases
from scheduler.worker import admission, heartbeat

leases.HELD_SECONDS = 8.0
heartbeat.EVERY_SECONDS = 0.5
heartbeat.GIVE_UP_SECONDS = 7.0
admission.LOOK_EVERY = 0.5
app.conf.broker_transport_options = {
    **app.conf.broker_transport_options,
    "visibility_timeout": 9,
    "unacked_restore_interval": 1,
}

__all__ = ["app"]
