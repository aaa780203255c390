"""Faults for running jobs. Each is a function of the world, and leaves it in any state."""

import json
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from threading import Event

from redis.exceptions import RedisError

from scheduler.history.engine import BEGIN_OPTION
from tests.chaos.runs.world import QUEUE, World

Fault = Callable[[World], None]

_NEVER = Event()


def pause(seconds: float) -> None:
    """Let the world run on until the next fault: a moment, not a fact."""
    _NEVER.wait(max(seconds, 0))


def kill_worker(world: World) -> None:
    """A machine loses its power: the worker and its processes are gone at once."""
    world.kill(world.dice.choice(world.of("worker")))


def kill_worker_alone(world: World) -> None:
    """The worker's main process is killed, its processes find out."""
    world.kill(world.dice.choice(world.of("worker")), whole=False)


def kill_child(world: World) -> None:
    """A job's process is killed, as by the kernel that is out of memory."""
    children = world.children(world.dice.choice(world.of("worker")))
    if children:
        world.kill_one(world.dice.choice(children))


def kill_recorder(world: World) -> None:
    """Between commit and acknowledgement, or anywhere."""
    world.kill(world.dice.choice(world.of("recorder")))


def kill_beat(world: World) -> None:
    """While it sends."""
    world.kill(world.of("beat")[0])


def kill_server(world: World) -> None:
    """SIGKILL to Redis; with `appendfsync always` it has what it acknowledged."""
    world.server.kill()
    pause(world.dice.uniform(0, 2))
    world.server.start()


def restart_worker(world: World) -> None:
    """An orderly stop, as for a deployment, and another in its place."""
    pid = world.dice.choice(world.of("worker"))
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)


def restart_server(world: World) -> None:
    """An orderly restart of Redis."""
    world.server.stop()
    pause(1)
    world.server.start()


def purge(world: World) -> None:
    """Somebody empties the queue."""
    world.take_away_messages()


def foreign_worker(world: World) -> None:
    """A worker that is not ours takes a message, and does what it likes with it."""
    with suppress(RedisError):
        text = world.redis.rpop(QUEUE)
        if text is not None:
            world.account.taken_away.add(json.loads(text)["headers"]["id"])


def cut_connections(world: World) -> None:
    """All connections to Redis break at once."""
    with suppress(RedisError):
        world.redis.client_kill_filter(_type="normal", skipme=True)


def lock_history(world: World) -> None:
    """SQL does not answer for a while: another program has the tables."""
    engine = world.services.engine.execution_options(**{BEGIN_OPTION: "EXCLUSIVE"})
    with engine.begin() as connection:
        if connection.dialect.name != "sqlite":
            connection.exec_driver_sql("LOCK TABLE runs IN ACCESS EXCLUSIVE MODE")
        pause(world.dice.uniform(1, 4))


KILLS: tuple[Fault, ...] = (
    kill_worker,
    kill_worker,
    kill_worker_alone,
    kill_child,
    kill_child,
    kill_recorder,
)
OTHERS: tuple[Fault, ...] = (
    kill_server,
    restart_worker,
    restart_worker,
    restart_server,
    purge,
    foreign_worker,
    cut_connections,
    lock_history,
    kill_beat,
)
