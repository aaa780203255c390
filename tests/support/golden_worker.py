"""The app with every kind of queue and job: `celery -A tests.support.golden_worker worker`.

`GOLDEN_TRANSPORT` has more options of the transport, as JSON.
"""

import json
import os

from scheduler.celery import app
from tests.support.golden_jobs import anything, set_up

app.conf.broker_transport_options = {
    **app.conf.broker_transport_options,
    **json.loads(os.environ.get("GOLDEN_TRANSPORT", "{}")),
}
set_up(app)
app.task(name="golden.many.one")(anything)
app.task(name="elsewhere.job")(anything)

__all__ = ["app"]
