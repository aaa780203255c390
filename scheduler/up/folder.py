"""The data folder belongs to one server at a time."""

import logging
import os
from contextlib import suppress
from pathlib import Path

from scheduler.errors import Refused
from scheduler.settings import server_file
from scheduler.up.announce import runs_already
from scheduler.up.interrupts import Interrupts

log = logging.getLogger(__name__)

STARTING_TAKES = 20
"""Rounds in which a server that holds the lock and has not yet said who it is may do so."""


def take(data_dir: Path, interrupts: Interrupts) -> int | None:
    """The lock, held as long as the descriptor is open. None where we were asked to stop while
    waiting for it.

    A server that lives is a refusal. One that was killed is waited for: its warden is stopping its
    children still.
    """
    rounds = 0
    while not interrupts.count:
        lock = server_file.take_lock(data_dir)
        if lock is not None:
            server_file.remove(data_dir)
            return lock
        server = server_file.read(data_dir)
        if server is not None and _lives(server.pid):
            raise Refused(runs_already(server))
        if server is None and rounds > STARTING_TAKES:
            raise Refused(f"another server is starting in {data_dir}")
        if rounds == 1:
            log.warning(
                "an earlier server has died and its processes are still stopping; waiting for them"
            )
        rounds += 1
        interrupts.wait(0.25)
    return None


def _lives(pid: int) -> bool:
    with suppress(PermissionError):  # it lives and is another user's
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True
