"""TLS and sockets: Redis and the broker are verified alike, and each fault has its own kind."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from scheduler.health.broker import broker
from scheduler.health.status import redis_part
from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from tests.support.needs import missing
from tests.support.ports import free_port
from tests.support.waiting import wait_for


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """A Redis with a certificate for `localhost` by an authority of its own, and a socket."""
    if not (shutil.which("redis-server") and shutil.which("openssl")):
        missing("redis-server and openssl are not installed")
    folder = tmp_path_factory.mktemp("tls")
    (folder / "names").write_text("subjectAltName=DNS:localhost")
    for words in (
        "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=ca",
        "req -newkey rsa:2048 -nodes -keyout key -out request -subj /CN=localhost",
        "x509 -req -in request -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names "
        "-out cert",
    ):
        subprocess.run(["openssl", *words.split()], cwd=folder, check=True, capture_output=True)
    port = free_port()
    words = (
        f"--port 0 --bind 127.0.0.1 --tls-port {port} --tls-cert-file cert --tls-key-file key "
        f"--tls-ca-cert-file ca.pem --tls-auth-clients no --unixsocket {folder}/r.sock "
        "--requirepass hush"
    )
    process = subprocess.Popen(
        ["redis-server", *words.split(), "--save", ""], cwd=folder, stdout=subprocess.DEVNULL
    )

    def answers() -> bool:
        try:
            with Redis(unix_socket_path=f"{folder}/r.sock", password="hush") as client:
                return bool(client.ping())
        except RedisError:
            return False

    try:
        wait_for(answers, 20, "Redis answers at its socket")
        yield folder, port
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("rediss://:hush@localhost:{port}/0?ssl_ca_certs={folder}/ca.pem", None),
        ("rediss://:hush@localhost:{port}/0?ssl_cert_reqs=CERT_NONE", None),
        ("rediss://:hush@localhost:{port}/0", "TLS trust"),
        ("rediss://:hush@127.0.0.1:{port}/0?ssl_ca_certs={folder}/ca.pem", "TLS host"),
        ("redis://:hush@localhost:{port}/0", "TLS expected"),
        ("rediss://:hushed@localhost:{port}/0?ssl_ca_certs={folder}/ca.pem", "login"),
        ("rediss://localhost:{port}/0?ssl_ca_certs={folder}/ca.pem", "no login"),
        ("rediss://:hush@localhost:{port}/99?ssl_ca_certs={folder}/ca.pem", "database"),
        ("unix://:hush@{folder}/r.sock?db=0", None),
        ("unix://:hush@{folder}/none.sock", "socket"),
    ],
)
def test_redis_and_broker_are_verified_alike(
    server: tuple[Path, int], address: str, fault: str | None
) -> None:
    folder, port = server
    services = Services(Settings(redis_url=address.format(folder=folder, port=port)))
    for part in (redis_part(services), broker(services)):
        assert part.ok == (fault is None)
        assert part.facts.get("fault") == fault
        assert "hush" not in part.summary + part.remedy
