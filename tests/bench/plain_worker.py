"""A Celery app without Beatdesk: `celery -A tests.bench.plain_worker worker`."""

import os

from celery import Celery

app = Celery("plain", broker=os.environ["BENCH_BROKER"], include=["tests.bench.small_task"])
app.conf.update(
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    task_ignore_result=os.environ.get("BENCH_RESULTS") != "1",
)
if os.environ.get("BENCH_RESULTS") == "1":
    app.conf.result_backend = f"db+sqlite:///{os.environ['BENCH_FOLDER']}/results.sqlite3"

__all__ = ["app"]
