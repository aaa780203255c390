"""`config/redis-acl.conf` gives each process the rights of a whole journey, and no others."""

import hashlib
import re
from collections.abc import Iterator

import pytest
from redis import Redis
from redis.exceptions import NoPermissionError

from scheduler.clock import utc_now
from scheduler.health.doctor import EVICTION, redis_setup
from scheduler.history.queries.views import RunFilter
from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from scheduler.storage import keys
from tests.support.console import Console
from tests.support.ports import free_port, listens
from tests.support.processes import ROOT, Process, env_of
from tests.support.road import BEAT, EMAIL, PASSWORD, RECORDER, WORKER, save
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_for

FILE = ROOT / "config" / "redis-acl.conf"
ROLES = ("web", "beat", "worker", "recorder", "operator")
EVERY_SECOND = {"kind": "interval", "every": "1", "unit": "seconds", "job": "tests.echo"}


def password_of(role: str) -> str:
    """The password of a role's login."""
    return f"correct-{role}"


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ValkeyServer]:
    """A server with the logins of the file, each with a password of its own."""
    folder = tmp_path_factory.mktemp("logins")
    (folder / "logins.conf").write_text(
        re.sub(
            r"#HASH-OF-([A-Z]+)",
            lambda match: "#" + hashlib.sha256(password_of(match[1].lower()).encode()).hexdigest(),
            FILE.read_text(),
        )
    )
    server = ValkeyServer(
        folder / "server",
        request.getfixturevalue("valkey_binary"),
        include=folder / "logins.conf",
    )
    server.start()
    yield server
    server.stop()


def settings_as(role: str, settings: Settings, server: ValkeyServer) -> Settings:
    """The settings of a process with a role's login."""
    address = f"redis://beatdesk-{role}:{password_of(role)}@127.0.0.1:{server.port}/0"
    return settings.model_copy(update={"redis_url": address, "jobs": ("tests.support.jobs",)})


def client_as(role: str, server: ValkeyServer) -> Redis:
    """A client with a role's login."""
    return Redis.from_url(settings_as(role, Settings(), server).redis_url, decode_responses=True)


def denied(server: ValkeyServer) -> set[tuple[str, str, str]]:
    """What logins tried without the right: login, kind of right, and command, key or channel."""
    with server.client() as client:
        log = client.acl_log()
    return {(entry["username"], entry["reason"], entry["object"]) for entry in log}


def test_a_schedule_is_made_fired_run_recorded_and_shown_with_a_login_for_each_process(
    server: ValkeyServer, settings: Settings
) -> None:
    def start(role: str, *command: str) -> Process:
        return Process(*command, env=env_of(settings_as(role, settings, server)), name=role)

    settings.data_dir.mkdir(parents=True)
    assert start("operator", "beatdesk", "db", "upgrade").wait(60) == 0
    operator = Services(settings_as("operator", settings, server))
    operator.accounts.create(EMAIL, PASSWORD, "admin", now=utc_now())
    port = free_port()
    start("worker", *WORKER)
    start("recorder", *RECORDER)
    start("beat", *BEAT[:4])
    place = ("--bind", f"127.0.0.1:{port}", "--threads", "4")
    start("web", "gunicorn", "webadmin:create_app()", *place, "--no-control-socket")
    wait_for(lambda: listens(port), 60, "the console listens")
    console = Console(f"http://127.0.0.1:{port}")
    console.login(EMAIL, PASSWORD)
    wait_for(lambda: operator.catalogue.get("tests.echo"), 60, "a worker has published its jobs")

    page = save(console, "greeting", **EVERY_SECOND)

    assert page.path == "/schedules/greeting/", page.text
    wait_for(lambda: "succeeded" in console.get("/runs/").text.lower(), 60, "a run is shown")
    web = Services(settings_as("web", settings, server))
    schedule = web.schedules.get("greeting")
    run = web.control.start(schedule, actor=EMAIL, now=utc_now())
    web.canceller.cancel([run], actor=EMAIL, now=utc_now())
    started = RunFilter(search=run)
    wait_for(lambda: operator.history.runs(started).items, 60, "the run is recorded")
    assert start("operator", "beatdesk", "schedules", "pause-all", "--reason", "x").wait(60) == 0
    assert start("operator", "beatdesk", "doctor").wait(60) in (0, 1)
    assert denied(server) == set()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "command", ["FLUSHDB", "FLUSHALL", "SHUTDOWN", "ACL LIST", "CONFIG SET maxmemory 1", "KEYS *"]
)
def test_no_login_may_empty_stop_or_set_up_the_server(
    server: ValkeyServer, role: str, command: str
) -> None:
    with client_as(role, server) as client, pytest.raises(NoPermissionError):
        client.execute_command(*command.split())


def test_a_worker_cannot_change_a_schedule(server: ValkeyServer) -> None:
    with client_as("worker", server) as client:
        for change in (
            lambda: client.hset(keys.entry("any"), keys.DEFINITION_FIELD, "{}"),
            lambda: client.hset(keys.entry("any"), keys.EXTRA_FIELD, "{}"),
            lambda: client.eval("return redis.call('DEL', KEYS[1])", 1, keys.entry("any")),
        ):
            with pytest.raises(NoPermissionError):
                change()


@pytest.mark.parametrize("role", ["web", "beat", "worker", "recorder"])
def test_no_process_may_change_a_key_of_another_application(
    server: ValkeyServer, role: str
) -> None:
    with client_as(role, server) as client, pytest.raises(NoPermissionError):
        client.set("shop:cart", "x")


def test_a_worker_reads_no_key_of_another_application(server: ValkeyServer) -> None:
    with client_as("worker", server) as client, pytest.raises(NoPermissionError):
        client.get("shop:cart")


@pytest.mark.parametrize("role", ["web", "beat", "worker", "recorder"])
def test_a_login_without_a_look_at_the_set_up_still_finds_that_the_server_evicts(
    server: ValkeyServer, settings: Settings, role: str
) -> None:
    with server.client() as owner:
        owner.config_set("maxmemory", "100mb")
        owner.config_set("maxmemory-policy", "allkeys-lru")
        try:
            parts = redis_setup(Services(settings_as(role, settings, server)))
        finally:
            owner.config_set("maxmemory-policy", "noeviction")
            owner.config_set("maxmemory", "0")
    assert [part.ok for part in parts if part.name == EVICTION] == [False]
