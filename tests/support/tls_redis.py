"""A Redis (Debian's) that speaks TLS and listens at a Unix socket, and its authority."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from tests.support.needs import missing
from tests.support.ports import free_port
from tests.support.waiting import wait_for

PASSWORD = "hush"


@dataclass(frozen=True)
class TlsRedis:
    """Where it listens. `folder` has `ca.pem`, by which clients trust it, `cert` and `key`."""

    folder: Path
    port: int

    def address(self, form: str) -> str:
        """Return an address with `{port}` and `{folder}` filled in."""
        return form.format(port=self.port, folder=self.folder)


def make_certificates(folder: Path) -> None:
    """Write an authority (`ca.pem`), and a certificate of it for `localhost` (`cert`, `key`)."""
    if shutil.which("openssl") is None:
        missing("there is no openssl to make a certificate with")
    (folder / "names").write_text("subjectAltName=DNS:localhost")
    for words in (
        "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=ca",
        "req -newkey rsa:2048 -nodes -keyout key -out request -subj /CN=localhost",
        "x509 -req -in request -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names "
        "-out cert",
    ):
        subprocess.run(["openssl", *words.split()], cwd=folder, check=True, capture_output=True)


@contextmanager
def tls_redis(folder: Path) -> Iterator[TlsRedis]:
    """Start it with a certificate for `localhost` by an authority of its own; end it afterwards."""
    if shutil.which("redis-server") is None:
        missing("redis-server is not installed")
    make_certificates(folder)
    port = free_port()
    words = (
        f"--port 0 --bind 127.0.0.1 --tls-port {port} --tls-cert-file cert --tls-key-file key "
        f"--tls-ca-cert-file ca.pem --tls-auth-clients no --unixsocket {folder}/r.sock "
        f"--requirepass {PASSWORD} --maxmemory-policy noeviction"
    )
    process = subprocess.Popen(
        ["redis-server", *words.split(), "--save", ""], cwd=folder, stdout=subprocess.DEVNULL
    )

    def answers() -> bool:
        try:
            with Redis(unix_socket_path=f"{folder}/r.sock", password=PASSWORD) as client:
                return bool(client.ping())
        except RedisError:
            return False

    try:
        wait_for(answers, 20, "Redis answers at its socket")
        yield TlsRedis(folder, port)
    finally:
        process.terminate()
        process.wait(20)
