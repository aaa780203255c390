"""The cost of the message audit with many queued runs. SQLite, one recorder.

python -m tests.bench.message_audit REDIS_URL [RUNS]

The server must be a throw-away one: all data is deleted. The aim, with 10,000 queued runs: at most
1 % of a processor, recorder's process and server together; and a purge of all is a verdict on each
within a minute.
"""

import logging
import sys
from datetime import timedelta
from time import perf_counter, thread_time
from typing import Any

import click

from scheduler.clock import utc_now
from scheduler.events.schema import RunQueued, run_event
from scheduler.history.recording.recorder import Recorder
from scheduler.reconciling.loop import EVERY, pause_after
from scheduler.services import watches
from scheduler.services.services import Services
from tests.bench.figures import machine
from tests.bench.throw_away import throw_away_services
from tests.support.builders import a_schedule, facts_of

LOOKS = 10
QUEUE = "later"


def fill(services: Services, count: int) -> None:
    """Send `count` runs by name to a queue that nobody reads, and tell of each."""
    now = utc_now() - timedelta(minutes=1)
    facts = facts_of(a_schedule()).model_copy(
        update={"schedule": None, "schedule_uid": None, "trigger": "api", "queue": QUEUE}
    )
    events = []
    with services.celery.producer_pool.acquire() as producer:
        for _ in range(count):
            sent = services.celery.send_task(
                "demo.echo", ["x" * 100], queue=QUEUE, producer=producer
            )
            events.append(run_event(RunQueued, sent.id, 1, now, facts=facts))
    for start in range(0, count, 1000):
        services.events.append_many(events[start : start + 1000])


def record(services: Services) -> None:
    """Record all events."""
    recorder = Recorder(services.events, services.engine, services.redis, 1000, "bench")
    services.events.ensure_group()
    while recorder.run_once(utc_now()):
        pass


def server_seconds(services: Services) -> float:
    """Processor seconds of the server so far."""
    cpu: Any = services.redis.info("cpu")
    return float(cpu["used_cpu_user"]) + float(cpu["used_cpu_sys"])


def main(url: str, count: int) -> None:
    """Fill, look, purge, look, and print the figures."""
    logging.disable(logging.WARNING)
    with throw_away_services(url) as services:
        fill(services, count)
        record(services)
        audit = watches.message_audit(services)
        audit.look(utc_now())
        server, own, wall = server_seconds(services), thread_time(), perf_counter()
        for _ in range(LOOKS):
            found = audit.look(utc_now())
        own = (thread_time() - own) / LOOKS
        server = (server_seconds(services) - server) / LOOKS
        wall = (perf_counter() - wall) / LOOKS
        pause = pause_after(found, own)
        click.echo(f"{machine()}, {count:,} queued runs")
        click.echo(
            f"a look: {own * 1000:.0f} ms here, {server * 1000:.0f} ms of the server, "
            f"{wall * 1000:.0f} ms in all; the next after {pause:.0f} s: "
            f"{(own + server) / pause:.2%} of a processor (every {EVERY:.0f} s at most)"
        )
        services.redis.delete(QUEUE)
        began = perf_counter()
        audit.look(utc_now())
        ended = audit.look(utc_now() + timedelta(seconds=15)).ended
        click.echo(
            f"after a purge: {len(ended):,} verdicts, {perf_counter() - began:.1f} s of work"
        )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10_000)
