"""Faults of a world. Each fault is a function of the world and of chance, and leaves the world in
any state.
"""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from random import Random
from threading import Event

from redis.exceptions import RedisError

from scheduler.storage import keys
from tests.chaos.witness import QUEUE
from tests.chaos.world import TTL, World

Fault = Callable[[World, Random], None]

_NEVER = Event()


def pause(seconds: float) -> None:
    """Let the world run on until the next fault: a moment, not a fact."""
    _NEVER.wait(max(seconds, 0))


def aim(world: World, dice: Random) -> None:
    """Wait until Beat is in the midst of the ticks of a second, more or less."""
    with suppress(RedisError):
        _seconds, micros = world.redis.time()
        pause(1 - micros / 1e6 + dice.uniform(-0.005, 0.08))


def kill_leader(world: World, dice: Random) -> None:
    """While it fires."""
    aim(world, dice)
    world.kill(world.leader() or dice.choice(sorted(world.beats)))


def kill_leader_whose_lock_ends(world: World, dice: Random) -> None:
    """As if its lock had been about to end: another leads at once."""
    kill_leader(world, dice)
    lose_lock(world, dice)


def kill_any(world: World, dice: Random) -> None:
    """At any time."""
    pause(dice.uniform(0, 0.7))
    world.kill(dice.choice(sorted(world.beats)))


def freeze_leader(world: World, dice: Random) -> None:
    """While firing, until its lock has ended and another Beat leads; then the frozen Beat
    resumes.
    """
    aim(world, dice)
    pid = world.leader() or dice.choice(sorted(world.beats))
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
        pause(TTL + dice.uniform(0.2, 1.5))
        os.kill(pid, signal.SIGCONT)


def kill_server(world: World, dice: Random) -> None:
    """SIGKILL; what it had acknowledged is in its append-only file."""
    aim(world, dice)
    world.server.kill()
    pause(dice.uniform(0, 2))
    world.server.start()


def lose_lock(world: World, _: Random) -> None:
    """Somebody deletes it."""
    with suppress(RedisError):
        world.redis.delete(keys.BEAT_LOCK)


def steal_lock(world: World, dice: Random) -> None:
    """Somebody else has it for a while."""
    with suppress(RedisError):
        world.redis.set(keys.BEAT_LOCK, "somebody-else", px=int(dice.uniform(200, 2500)))


def out_of_memory(world: World, dice: Random) -> None:
    """The server refuses every write for a while."""
    with suppress(RedisError):
        aim(world, dice)
        world.redis.config_set("maxmemory", 1)
        pause(dice.uniform(0.2, 2))
    _insist(world, "maxmemory", 0)


def no_queue(world: World, dice: Random) -> None:
    """The queue's key is something else for a while."""
    aside = f"{QUEUE}:aside"
    with suppress(RedisError):
        with world.redis.pipeline(transaction=True) as pipe:
            if world.redis.exists(QUEUE):
                pipe.rename(QUEUE, aside)
            pipe.set(QUEUE, "no queue")
            pipe.execute()
        pause(dice.uniform(0.2, 2))
        with world.redis.pipeline(transaction=True) as pipe:
            pipe.delete(QUEUE)
            if world.redis.exists(aside):
                pipe.rename(aside, QUEUE)
            pipe.execute()


def cut_connections(world: World, dice: Random) -> None:
    """All of them, while Beat fires."""
    with suppress(RedisError):
        aim(world, dice)
        world.redis.client_kill_filter(_type="normal", skipme=True)


def forget_scripts(world: World, _: Random) -> None:
    """The server forgets every script."""
    with suppress(RedisError):
        world.redis.script_flush()


def _insist(world: World, name: str, value: int) -> None:
    """Set an option back, also where the answer is lost."""
    for _ in range(20):
        with suppress(RedisError):
            world.redis.config_set(name, value)
            return
        pause(0.1)


KILLS: tuple[Fault, ...] = (
    kill_leader,
    kill_leader,
    kill_leader_whose_lock_ends,
    kill_leader_whose_lock_ends,
    kill_any,
)
OTHERS: tuple[Fault, ...] = (
    freeze_leader,
    kill_server,
    lose_lock,
    steal_lock,
    out_of_memory,
    no_queue,
    cut_connections,
    forget_scripts,
)


def any_fault(dice: Random, share_of_others: float = 0.15) -> Fault:
    """A kill, or now and then something else."""
    return dice.choice(OTHERS if dice.random() < share_of_others else KILLS)
