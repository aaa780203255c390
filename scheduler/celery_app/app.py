"""The Celery app: the configuration of Beat and the workers, and the reason for each value.

The app is made without importing a job: workers and Beat import `include` at the start, so the web
and the commands send a run by the job's name and never load job code.
"""

from typing import Any

from kombu import Exchange, Queue

from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.celery_app.queues import CELERYS_QUEUE, DEFAULT, LOWEST_PRIORITY, QUEUES, job_route
from scheduler.settings.schema import Settings
from scheduler.storage import keys
from scheduler.storage.addresses import broker as broker_address
from scheduler.storage.addresses import redis_address, sentinels
from scheduler.storage.client import redbeat_options

OWN_JOBS = (
    "scheduler.jobs.reports",
    "scheduler.jobs.sql_report",
    "scheduler.jobs.cleanup",
    "scheduler.jobs.datasets",
    "scheduler.jobs.demo",
    "scheduler.jobs.http",
    "scheduler.jobs.images",
    "scheduler.jobs.mail",
    "scheduler.jobs.workflow",
)

VISIBILITY_TIMEOUT = 52
"""Seconds after which a dead worker's messages are delivered to another worker.

A little longer than the lease of a run (`runs.leases.HELD_SECONDS`), so that the lease is over when
the message is back. Living workers renew the claims on messages (`worker.claims`), so that a job
may take any length of time.
"""

_HISTORY = "scheduler.worker.result_backend:HistoryBackend"

RESTORE_SECONDS = 2
"""Seconds between two looks of a worker for the messages of dead workers."""

SOFT_SHUTDOWN_SECONDS = 30.0
"""Seconds for jobs to end after a second signal, before the messages go back to the queue."""


def create_app(settings: Settings) -> BeatdeskApp:
    """Return the Celery app for `settings`, without a connection and without imported jobs."""
    broker = broker_address.read(settings.broker)
    backend = (
        None if settings.result_backend is None else broker_address.read(settings.result_backend)
    )
    app = BeatdeskApp(
        "beatdesk",
        broker=broker.url,
        backend=_HISTORY if backend is None else backend.url,
        include=[*OWN_JOBS, *settings.jobs],
        amqp=_amqp(settings),
        set_as_current=True,
    )
    app.settings = settings
    app.conf.update(
        {
            **_time(),
            **_messages(),
            **_queues(settings),
            **_reliability(settings),
            **_redbeat(settings),
            "broker_use_ssl": broker.use_ssl,
            "redis_backend_use_ssl": None if backend is None else backend.use_ssl,
        }
    )
    app.conf.broker_transport_options |= broker.transport_options
    if backend is None:
        app.conf.result_expires = None  # or Beat schedules a job that deletes expired results
        app.conf.result_backend_transport_options = {"global_keyprefix": keys.CHORDS_PREFIX}
    return app


def _time() -> dict[str, Any]:
    """Time options: UTC. In a zone with clock changes RedBeat loses a run in autumn.

    Each schedule has a zone of its own instead.
    """
    return {"timezone": "UTC", "enable_utc": True}


def _messages() -> dict[str, Any]:
    """Message options: JSON only, because a pickled message could run any code.

    Results travel as events, so none is stored.
    """
    return {
        "accept_content": ["json"],
        "task_serializer": "json",
        "result_serializer": "json",
        "event_serializer": "json",
        "task_ignore_result": True,
        "task_track_started": False,
        "worker_send_task_events": False,
    }


def _has_priorities(settings: Settings) -> bool:
    """Whether RabbitMQ's queues are declared with priorities; Redis always has priorities."""
    return settings.rabbitmq_priorities and is_rabbitmq(settings.broker)


def _amqp(settings: Settings) -> str | None:
    """Return the class that sends messages; None for Celery's own class."""
    if _has_priorities(settings):
        return "scheduler.celery_app.priorities:TurnedAMQP"
    return "scheduler.celery_app.connection:ReplaceableAMQP" if is_redis(settings.broker) else None


def is_redis(address: str) -> bool:
    """Whether an address leads to Redis, or to Redis Sentinel."""
    return redis_address.is_redis(address) or sentinels.is_sentinel(address)


def is_rabbitmq(address: str) -> bool:
    """Whether a broker's address is RabbitMQ's."""
    return address.startswith(("amqp:", "amqps:", "pyamqp:"))


def _queues(settings: Settings) -> dict[str, Any]:
    """Queue options: three queues by urgency, so that slow jobs do not delay urgent ones.

    Each queue may have workers of its own.
    """
    return {
        "task_queue_max_priority": LOWEST_PRIORITY if _has_priorities(settings) else None,
        "task_default_queue": DEFAULT,
        "task_queues": [
            Queue(name, Exchange(name), routing_key=name) for name in (*QUEUES, CELERYS_QUEUE)
        ],
        "task_routes": (job_route,),
    }


def _reliability(settings: Settings) -> dict[str, Any]:
    """Reliability options: a message is acknowledged after the run's end is recorded.

    So a crash in between repeats a run and loses none.
    """
    options: dict[str, Any] = {
        "task_acks_late": True,
        # `worker.requests` sends the next attempt of a job whose process died, or fails the run.
        # Where the attempt cannot be sent, the message goes back to the queue.
        "task_retry_on_worker_lost": False,
        "task_reject_on_worker_lost": True,
        "worker_consumer": "scheduler.worker.consumer:RecordingConsumer",
        "worker_prefetch_multiplier": 1,
        "worker_cancel_long_running_tasks_on_connection_loss": True,
        "worker_soft_shutdown_timeout": SOFT_SHUTDOWN_SECONDS,
        "broker_connection_retry": True,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
    }
    if is_redis(settings.broker):
        # Jobs go on while Redis is away: their messages are kept (`worker.kept_messages`).
        options["worker_cancel_long_running_tasks_on_connection_loss"] = False
        options["worker_enable_prefetch_count_reduction"] = False
        options["broker_transport_options"] = {
            "visibility_timeout": VISIBILITY_TIMEOUT,
            "queue_order_strategy": "priority",  # in the order of QUEUES, not in turn
            "unacked_restore_interval": RESTORE_SECONDS,
            "unacked_restore_throttle": 1,  # kombu's default skips nine looks of ten
            "unacked_mutex_expire": 2 * RESTORE_SECONDS,  # a worker may die with the mutex
            "socket_timeout": 10,
            "socket_connect_timeout": 2,
            "socket_keepalive": True,
            "health_check_interval": 10,
        }
    if sentinels.is_sentinel(settings.broker):
        options["broker_transport_options"]["master_name"] = settings.redis_master
    return options


def _redbeat(settings: Settings) -> dict[str, Any]:
    """RedBeat's options, for quick edits and a quick take-over by stock RedBeat.

    Stock RedBeat notices an edit within a second, and takes over from a dead leader within the
    lock's time-out.
    """
    place = redbeat_options(settings.redis_url, settings.redis_master)
    place["redbeat_redis_options"]["retry_period"] = settings.beat_lock_timeout
    return {
        **place,
        "redbeat_redis_use_ssl": None,  # the address has them; without this, the broker's
        "redbeat_key_prefix": keys.REDBEAT_PREFIX,
        "redbeat_lock_timeout": settings.beat_lock_timeout,
        "beat_scheduler": settings.beat_scheduler,
        "beat_max_loop_interval": 1,
        # Beat too answers `celery inspect ping`, while it ticks.
        "beat_enable_remote_control": True,
    }
