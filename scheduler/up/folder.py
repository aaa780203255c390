"""The lock on the data folder, for one server at a time."""

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
"""Rounds of waiting, for another server to take the lock and write its server file."""


def take(data_dir: Path, interrupts: Interrupts) -> int | None:
    """The lock's descriptor; the lock lasts until the descriptor is closed. None after a signal
    during the wait.

    Raises Refused for another running server in the folder. After a killed server, waits for its
    orphan reaper to stop the children.
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
    with suppress(PermissionError):  # the process lives, and is another user's
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True
