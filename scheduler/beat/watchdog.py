"""Notifications for systemd: ready, alive, stopping. None are sent without `NOTIFY_SOCKET`.

The protocol is sd_notify(3): a datagram of `NAME=value` lines; an address beginning with `@` is
abstract.
"""

import logging
import os
import socket

log = logging.getLogger(__name__)


class Watchdog:
    """The notifier of systemd. Takes the variable out of the environment, so children of Beat
    notify nobody.
    """

    def __init__(self) -> None:
        address = os.environ.pop("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._is_ready = False

    def alive(self, status: str) -> None:
        """Notify systemd of a living loop; `status` is one line for people."""
        ready = "" if self._is_ready else "READY=1\n"
        self._is_ready = True
        self._notify(f"{ready}WATCHDOG=1\nSTATUS={status}")

    def stopping(self) -> None:
        """Notify systemd of an orderly end."""
        self._notify("STOPPING=1")

    def _notify(self, text: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as wire:
                wire.settimeout(1)
                wire.sendto(text.encode(), self._address)
        except OSError as error:
            log.warning("beat: systemd cannot be notified: %s", error)
