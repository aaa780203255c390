"""Real Redis with real Sentinels (of Debian): a primary, a replica, and three Sentinels, on free
ports.
"""

import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from tests.support.ports import free_port
from tests.support.waiting import wait_for

PASSWORD = "correct-horse"
MASTER = "desk"
DOWN_AFTER_MS = 1000


def installed() -> bool:
    """Whether Redis and Sentinel are installed."""
    return all(shutil.which(name) for name in ("redis-server", "redis-sentinel"))


class SentinelGroup:
    """All five servers. The primary may be killed; `end` ends the rest."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = [free_port(), free_port()]
        self._watching = [free_port() for _ in range(3)]
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        """The address, as a setting."""
        first, *others = (f"127.0.0.1:{port}" for port in self._watching)
        return ";".join(
            [f"sentinel://:{PASSWORD}@{first}/0", *(f"sentinel://{place}" for place in others)]
        )

    @property
    def log(self) -> str:
        """The output of all servers."""
        return "\n".join(
            path.read_text(errors="replace")[-2000:] for path in sorted(self._folder.glob("*.log"))
        )

    def start(self) -> None:
        """Start all; return when the Sentinels have found each other and the replica is in sync."""
        self._folder.mkdir(parents=True, exist_ok=True)
        primary, replica = self._ports
        for port in self._ports:
            self._start_server(port)
        with self.at(replica) as client:
            client.replicaof("127.0.0.1", str(primary))
        for port in self._watching:
            self._start_sentinel(port, primary)
        wait_for(self._all_know, 30, "the Sentinels know each other and the replica")

    def at(self, port: int) -> "Redis":
        """A client of one server."""
        return Redis(
            host="127.0.0.1", port=port, password=PASSWORD, decode_responses=True, socket_timeout=5
        )

    def primary(self) -> int:
        """The port of the primary, as most Sentinels say."""
        votes = []
        for port in self._watching:
            with (
                suppress(RedisError, OSError),
                Redis(port=port, decode_responses=True, socket_timeout=2) as client,
            ):
                answer: Any = client.sentinel_get_master_addr_by_name(MASTER)  # type: ignore[no-untyped-call]
                votes.append(int(answer[1]))
        return max(votes, key=votes.count)

    def kill_primary(self) -> int:
        """SIGKILL to the primary; returns its port."""
        port = self.primary()
        self._processes[port].kill()
        self._processes[port].wait(10)
        return port

    def restart(self, port: int) -> None:
        """Start a server again: as a primary, until the Sentinels demote it."""
        self._start_server(port)

    def end(self) -> None:
        """End all."""
        for process in self._processes.values():
            process.kill()
        for process in self._processes.values():
            process.wait(10)

    def _start_server(self, port: int) -> None:
        folder = self._folder / str(port)
        folder.mkdir(exist_ok=True)
        options = {
            "port": port,
            "bind": "127.0.0.1",
            "dir": folder,
            "appendonly": "yes",
            "save": "",
            "requirepass": PASSWORD,
            "masterauth": PASSWORD,
            "repl-diskless-sync-delay": 0,
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        self._run(port, ["redis-server", *arguments])

    def _start_sentinel(self, port: int, primary: int) -> None:
        lines = [
            f"port {port}",
            "bind 127.0.0.1",
            f"dir {self._folder}",
            f"sentinel monitor {MASTER} 127.0.0.1 {primary} 2",
            f"sentinel auth-pass {MASTER} {PASSWORD}",
            f"sentinel down-after-milliseconds {MASTER} {DOWN_AFTER_MS}",
            f"sentinel failover-timeout {MASTER} 5000",
        ]
        path = self._folder / f"sentinel-{port}.conf"
        path.write_text("\n".join(lines) + "\n")
        self._run(port, ["redis-sentinel", str(path)])

    def _run(self, port: int, command: list[str]) -> None:
        with (self._folder / f"{port}.log").open("ab") as log:
            self._processes[port] = subprocess.Popen(
                command, stdout=log, stderr=log, start_new_session=True
            )
        wait_for(lambda: self._answers(port), 20, f"{command[0]} on port {port} answers")

    def _answers(self, port: int) -> bool:
        if self._processes[port].poll() is not None:
            raise RuntimeError(f"the server on port {port} has ended:\n{self.log}")
        password = PASSWORD if port in self._ports else None
        with (
            suppress(RedisError, OSError),
            Redis(port=port, password=password, socket_timeout=2) as client,
        ):
            return bool(client.ping())
        return False

    def _all_know(self) -> bool:
        for port in self._watching:
            with Redis(port=port, decode_responses=True, socket_timeout=2) as client:
                master: Any = client.execute_command("SENTINEL", "MASTER", MASTER)  # type: ignore[no-untyped-call]
                if int(master["num-slaves"]) != 1 or int(master["num-other-sentinels"]) != 2:
                    return False
        with self.at(self._ports[1]) as client:
            replication: Any = client.info("replication")
            return bool(replication.get("master_link_status") == "up")
