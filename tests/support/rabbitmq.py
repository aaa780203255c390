"""A real RabbitMQ (Debian's package) for the tests: on loopback, with its own name, ports, data and
port mapper.
"""

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from amqp.exceptions import AMQPError
from kombu import Connection

from tests.support.ports import free_port
from tests.support.waiting import wait_for

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""The program itself: the wrapper in the path insists on a system user."""


def installed() -> bool:
    """Whether RabbitMQ is installed."""
    return SERVER.exists() and shutil.which("epmd") is not None


class RabbitServer:
    """Start, stop, kill and restart on one port with one folder, so that messages outlive the
    process.
    """

    def __init__(self, folder: Path, *, certificates: Path | None = None) -> None:
        """`certificates` has `ca.pem`, `cert` and `key`, for a second port that speaks TLS."""
        self.folder = folder
        self.tls_port = free_port()
        self._certificates = certificates
        self.port, self._dist, self._mapper = free_port(), free_port(), free_port()
        self._epmd: subprocess.Popen[bytes] | None = None
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    @property
    def tls_url(self) -> str:
        """The address that speaks TLS, where there are certificates."""
        return f"amqps://guest:guest@localhost:{self.tls_port}//"

    @property
    def log(self) -> str:
        """What the server has written."""
        path = self.folder / "out.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self) -> None:
        """Start the server unless running; return when it answers."""
        if self._server is not None and self._server.poll() is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "plugins").write_text("[].\n")
        (self.folder / "rabbitmq.conf").write_text(self._configuration())
        environment = self._environment()
        if self._epmd is None:
            command = ["epmd", "-address", "127.0.0.1", "-port", str(self._mapper)]
            self._epmd = subprocess.Popen(
                command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        with (self.folder / "out.log").open("ab") as log:
            self._server = subprocess.Popen(
                [str(SERVER)],
                env=environment,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_for(self._answers, timeout=90, what=f"RabbitMQ on port {self.port} answers", every=0.2)

    def stop(self) -> None:
        """Send SIGTERM and wait."""
        if self._server is not None:
            self._server.terminate()
            self._server.wait(timeout=60)
        self.kill()

    def kill(self) -> None:
        """SIGKILL to the server and all its processes, like a power cut."""
        server, self._server = self._server, None
        if server is not None:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.wait(timeout=20)

    def freeze(self) -> None:
        """SIGSTOP: connections stay open without answers."""
        assert self._server is not None
        os.killpg(self._server.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        assert self._server is not None
        os.killpg(self._server.pid, signal.SIGCONT)

    def end(self) -> None:
        """Kill the server and its port mapper."""
        self.kill()
        if self._epmd is not None:
            self._epmd.terminate()
            self._epmd.wait(timeout=20)
            self._epmd = None

    def count(self, queue: str) -> int:
        """The number of messages in a queue; None where the queue is missing."""
        with Connection(self.url) as connection, connection.channel() as channel:
            try:
                return int(channel.queue_declare(queue, passive=True).message_count)
            except AMQPError:
                return 0

    def delete(self, *queues: str) -> None:
        """Delete queues."""
        with Connection(self.url) as connection:
            for queue in queues:
                with connection.channel() as channel:
                    channel.queue_delete(queue)

    def _configuration(self) -> str:
        lines = ["disk_free_limit.absolute = 10MB"]
        if self._certificates is not None:
            lines += [
                f"listeners.ssl.1 = 127.0.0.1:{self.tls_port}",
                f"ssl_options.cacertfile = {self._certificates}/ca.pem",
                f"ssl_options.certfile = {self._certificates}/cert",
                f"ssl_options.keyfile = {self._certificates}/key",
            ]
        return "\n".join(lines) + "\n"

    def _environment(self) -> dict[str, str]:
        folder = self.folder
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(self._mapper),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"beatdesk{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._dist),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1 +sbwt none",
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
        }

    def _answers(self) -> bool:
        assert self._server is not None
        if self._server.poll() is not None:
            raise RuntimeError(
                f"rabbitmq-server ended with {self._server.returncode}:\n{self.log[-3000:]}"
            )
        try:
            with Connection(self.url, connect_timeout=5) as connection:
                connection.ensure_connection(max_retries=1, interval_start=0)
                return True
        except (AMQPError, OSError, Exception):  # noqa: BLE001 - it is starting
            return False
