"""systemd's notification socket: ready, alive, stopping. Nothing is said where systemd did not ask
(`NOTIFY_SOCKET`).

The protocol is sd_notify(3): a datagram of `NAME=value` lines; a name that begins with `@` is
abstract.
"""

import logging
import os
import socket

log = logging.getLogger(__name__)


class Watchdog:
    """Says how this process is. Made once, so that children of Beat, which inherit the variable,
    say nothing.
    """

    def __init__(self) -> None:
        address = os.environ.pop("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._is_ready = False

    def alive(self, status: str) -> None:
        """The loop goes round; `status` is one line for people."""
        ready = "" if self._is_ready else "READY=1\n"
        self._is_ready = True
        self._say(f"{ready}WATCHDOG=1\nSTATUS={status}")

    def stopping(self) -> None:
        """It ends in order."""
        self._say("STOPPING=1")

    def _say(self, text: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as wire:
                wire.settimeout(1)
                wire.sendto(text.encode(), self._address)
        except OSError as error:
            log.warning("beat: systemd cannot be told how Beat is: %s", error)
