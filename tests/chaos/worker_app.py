"""The app of the chaos of workers: `celery -A tests.chaos.worker_app worker`. Leases last seconds
where CHAOS_SHORT is set, so that a killed worker's runs come back soon.
"""

import os

from scheduler.celery import app
from scheduler.runs import leases
from scheduler.worker import admission, heartbeat

if os.environ.get("CHAOS_SHORT"):
    leases.HELD_SECONDS = 4.0
    heartbeat.EVERY_SECONDS = 0.5
    heartbeat.GIVE_UP_SECONDS = 3.0
    admission.LOOK_EVERY = 0.5
    app.conf.broker_transport_options.update(visibility_timeout=5, unacked_restore_interval=1)

__all__ = ["app"]
