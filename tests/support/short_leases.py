"""The app with leases of a few seconds, for tests of events that take half a minute in production:
`celery -A … worker`.
"""

from scheduler.celery import app
from scheduler.runs import leases
from scheduler.worker import admission, heartbeat

heartbeat.EVERY_SECONDS = 0.5
leases.HELD_SECONDS = 3.0
admission.LOOK_EVERY = 0.5

__all__ = ["app"]
