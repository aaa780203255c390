"""Browser or curl → web → queue → worker → history → web: the endpoints of the tutorial, with real
processes.
"""

import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from scheduler.history.queries.views import RunFilter
from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from tests.support.mail_server import MailServer, mail_server
from tests.support.ports import free_port, listens
from tests.support.processes import Process, env_of, start_recorder, start_worker
from tests.support.waiting import wait_for

Ask = Callable[..., dict[str, Any]]

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def post_office() -> Iterator[MailServer]:
    """A mail server that refuses the first two mails that it is offered."""
    with mail_server(
        lambda number, address: "451 come back later" if number <= 2 else None
    ) as server:
        yield server


@pytest.fixture
def ask(services: Services, settings: Settings, post_office: MailServer) -> Ask:
    """Ask the web process, with a worker and a recorder behind it."""
    mails = {"smtp_url": f"smtp://127.0.0.1:{post_office.port}", "mail_retry_seconds": 0.5}
    changed = settings.model_copy(update=mails)
    port = free_port()
    Process(
        *(
            "gunicorn",
            "webadmin:create_app()",
            "--bind",
            f"127.0.0.1:{port}",
            "--threads",
            "4",
            "--no-control-socket",
        ),
        env=env_of(changed),
        name="web",
    )
    start_recorder(changed)
    start_worker(changed)
    wait_for(lambda: listens(port), 60, "the console listens")

    def ask(path: str, body: Any = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        address = f"http://127.0.0.1:{port}{path}"
        request = urllib.request.Request(
            address, data=data, headers={"Content-Type": "application/json"}
        )
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            request, timeout=30
        ) as answer:
            return dict(json.load(answer))

    return ask


def test_a_task_is_started_and_asked_for_until_it_has_ended(ask: Ask) -> None:
    started = ask("/start-task", {"duration": 1})
    assert started["status"] == "Task started"
    path = f"/task-status/{started['task_id']}"
    seen = [ask(path)["status"]]

    def ended() -> bool:
        seen.append(ask(path)["status"])
        return seen[-1] == "SUCCESS"

    wait_for(ended, 30, "the task has ended")
    assert set(seen) <= {"PENDING", "STARTED", "SUCCESS"}
    assert "STARTED" in seen
    assert ask(path) == {
        "task_id": started["task_id"],
        "status": "SUCCESS",
        "result": {"duration": 1},
    }


def test_who_signs_up_gets_the_mail_in_the_third_attempt(
    ask: Ask, services: Services, post_office: MailServer
) -> None:
    answer = ask("/signup", {"email": "ada@example.org", "name": "Ada"})
    assert answer == {"message": "Signup successful! Welcome email will be sent shortly."}

    def ended() -> Any:
        return services.history.runs(RunFilter(job="mail.send", state="succeeded")).items

    (run,) = wait_for(ended, 60, "the mail was sent")
    attempts = services.history.run(run.id).attempts
    assert [attempt.state for attempt in attempts] == ["failed", "failed", "succeeded"]
    assert all("451 come back later" in str(attempt.error) for attempt in attempts[:2])
    (taken,) = post_office.taken
    assert (taken.to, str(taken.mail["Subject"])) == (["ada@example.org"], "Welcome, Ada")
    assert ask(f"/task-status/{run.id}")["status"] == "SUCCESS"
