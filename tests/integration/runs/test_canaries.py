"""Secrets are planted, go through every job, and are searched for in everything that is written."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from redis import Redis

from scheduler.accounts.store import Accounts
from scheduler.catalogue.records import Job
from scheduler.clock import utc_now
from scheduler.history.queries.views import RunFilter
from scheduler.history.recording.recorder import Recorder
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import IntervalWhen, Spec
from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from tests.support.canary_jobs import spellings
from tests.support.commands import Commands
from tests.support.fixtures import migrate
from tests.support.processes import Process, env_of
from tests.support.runs.house import sender
from tests.support.runs.stream import Stream
from tests.support.valkey import PASSWORD as REDIS_PASSWORD
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_for
from tests.support.webadmin.addresses import NO_PAGE, SAMPLES, calls
from tests.support.webadmin.visitor import PASSWORD, Visitor
from webadmin import create_app

FROM_VARIABLE = "k4nary/Shop+Token?öffnet&7!"
FROM_FILE = "b1rd-of-the-bank-0815-4711"
IN_SMTP_ADDRESS = "m4il-canary-of-the-postman"
IN_REPORT_ADDRESS = "r3port-canary-of-the-reader"
PLANTED = {
    "the secret in a variable": FROM_VARIABLE,
    "the secret in a file": FROM_FILE,
    "the password of SMTP_URL": IN_SMTP_ADDRESS,
    "the password of REPORT_DSN": IN_REPORT_ADDRESS,
    "the password of REDIS_URL": REDIS_PASSWORD,
}
REFERENCES = {"token": "secret://shop-token", "bank": "secret://bank-key"}
OWN = "canary."
LONGEST_WAIT = 30


class Cage(NamedTuple):
    """Where the canaries are: settings, parts of the desk, and a worker that has the secrets."""

    settings: Settings
    services: Services
    stream: Stream
    worker: Process


@pytest.fixture(scope="module")
def cage(valkey_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cage]:
    """A worker with secrets and addresses with passwords, on a server of its own."""
    server = ValkeyServer(tmp_path_factory.mktemp("valkey"), valkey_binary)
    server.start()
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "bank-key").write_text(FROM_FILE + "\n")
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("data"),
        redis_url=server.url,
        secret_key="s" * 40,
        jobs=("tests.support.canary_jobs",),
        secrets_dir=folder,
        smtp_url=f"smtp://post:{IN_SMTP_ADDRESS}@127.0.0.1:1",
        mail_from="desk@example.org",
        mail_retry_seconds=1,
        report_dsn=f"postgresql://reader:{IN_REPORT_ADDRESS}@127.0.0.1:1/shop",
    )
    services = Services(settings)
    migrate(services.engine)
    env = env_of(settings) | {"BEATDESK_JOB_SECRET_SHOP_TOKEN": FROM_VARIABLE}
    command = ["celery", "-A", "scheduler", "worker", "-l", "INFO", "-c", "2"]
    worker = Process(*command, "-n", f"cage-{os.getpid()}@%h", env=env, name="worker", keep=True)
    with server.client() as redis:
        wait_for(lambda: redis.hexists("beatdesk:catalogue", "canary.fails"), 60, "the worker")
        yield Cage(settings, services, Stream(redis), worker)
    worker.forget()
    services.engine.dispose()
    services.redis.close()
    server.stop()


def built_in(services: Services) -> list[Job]:
    return [job for job in services.catalogue.jobs(utc_now()) if job.is_guarded]


def hostile_call(job: Job) -> dict[str, Any]:
    """A call with a reference to a secret in every parameter of a job."""
    return {parameter.name: REFERENCES["token"] for parameter in job.parameters}


def run_everything(cage: Cage) -> None:
    """Let each job of ours, and each that lets secrets out, have the secrets; record all."""
    services = cage.services
    send = sender(services.celery)
    denied = [send(job.name, kwargs=hostile_call(job)) for job in built_in(services)]
    runs = []
    runs.append(send("mail.send", kwargs={"to": ["a@example.org"], "subject": "s", "text": "t"}))
    runs.append(send("reports.sql_query", kwargs={"statement": "select 1", "title": "t"}))
    for name in ("canary.shows", "canary.fails", "canary.returns_many_kinds"):
        runs.append(send(name, kwargs=REFERENCES))
    for name in ("canary.retries", "canary.returns_an_object"):
        runs.append(send(name, kwargs={"token": REFERENCES["token"]}))
    edit = Edit(actor="ann", now=utc_now())
    spec = Spec(name="sample", job="canary.fails", kwargs=REFERENCES, when=IntervalWhen(every=60))
    schedule = services.schedules.create(spec, edit=edit)
    runs.append(services.control.start(schedule, actor="ann", now=utc_now()))
    for run in runs:
        cage.stream.end(run, LONGEST_WAIT)
    assert len(denied) > 10
    assert {cage.stream.end(run, LONGEST_WAIT).kind for run in denied} == {"run.failed"}
    recorder = Recorder(services.events, services.engine, services.redis, 1000, "test")
    while recorder.run_once(utc_now(), 1):
        pass


def found_in(text: str) -> list[str]:
    """What has been found of the planted values in a text, with the text before it."""
    return [
        f"{what}: {spelling}, after {text[max(0, text.index(form) - 60) : text.index(form)]!r}"
        for what, value in PLANTED.items()
        for spelling, form in spellings(value).items()
        if form in text
    ]


def dump_of(redis: "Redis") -> str:
    """Every key of Redis with all that is in it."""
    readers: dict[str, Any] = {
        "string": redis.get,
        "hash": redis.hgetall,
        "list": lambda key: redis.lrange(key, 0, -1),
        "set": redis.smembers,
        "zset": lambda key: redis.zrange(key, 0, -1, withscores=True),
        "stream": redis.xrange,
    }
    keys: list[str] = list(redis.scan_iter())
    return "\n".join(f"{key} {readers[redis.type(key)](key)!r}" for key in keys)


def places(cage: Cage) -> Iterator[tuple[str, str]]:
    """Everything that processes have written, by its place."""
    yield "Redis", dump_of(cage.services.redis)
    with cage.services.engine.connect() as connection:
        yield "SQL", "\n".join(connection.connection.driver_connection.iterdump())  # type: ignore[union-attr]
    yield "the worker's log", cage.worker.log
    for path in cage.settings.data_dir.rglob("*"):
        if path.is_file():
            yield f"the file {path.name}", path.read_bytes().decode("utf-8", "replace")
    yield from pages(cage)
    yield from outputs(cage)


def pages(cage: Cage) -> Iterator[tuple[str, str]]:
    """Every page of the console, and each run's page, as an administrator sees them."""
    app = create_app(cage.settings)
    Accounts(cage.services.engine).create("root@example.org", PASSWORD, "admin", now=utc_now())
    visitor = Visitor(app.test_client())
    assert visitor.login("root@example.org").status_code == 302
    samples = {**SAMPLES, "users": {"email": "root@example.org"}, "jobs": {"name": "canary.fails"}}
    runs = [run.id for run in cage.services.history.runs(RunFilter(), limit=100).items]
    addresses = {call.path for call in calls(app, samples) if call.method == "GET"}
    assert len(addresses) > len(NO_PAGE)
    for address in sorted(addresses | {f"/runs/{run}" for run in runs}):
        yield f"the page {address}", visitor.get(address).text


def outputs(cage: Cage) -> Iterator[tuple[str, str]]:
    """What the commands that show something print."""
    command = Commands(cage.services)
    runs = [run.id for run in cage.services.history.runs(RunFilter(), limit=100).items]
    words = [
        *(["runs", "show", run] for run in runs),
        *(["runs", "logs", run] for run in runs),
        *(["runs", "list"], ["schedules", "list"], ["schedules", "show", "sample"]),
        *(["schedules", "revisions", "sample"], ["jobs", "list"], ["status"], ["doctor"]),
        *(["audit", "list"], ["dead-letters", "list"]),
    ]
    for line in words:
        result = command(*line, "--json")
        yield f"beatdesk {' '.join(line)}", result.output
    yield "beatdesk schedules export", command("schedules", "export").output


def test_no_planted_secret_is_found_anywhere(cage: Cage) -> None:
    run_everything(cage)
    found = {place: found_in(text) for place, text in places(cage)}
    assert len(found) > 100
    assert {place: canaries for place, canaries in found.items() if canaries} == {}
