"""`mail.send` on a real worker, to a real SMTP server."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from scheduler.celery_app.app import create_app
from scheduler.events.schema import ReportStored
from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from tests.support.history.recording import record
from tests.support.mail_server import Judge, MailServer, mail_server
from tests.support.ports import free_port
from tests.support.processes import start_worker
from tests.support.runs.stream import Stream

Run = Callable[..., Any]


@pytest.fixture
def run_job(settings: Settings, stream: Stream) -> Iterator[Run]:
    """Run jobs on a worker whose mails go to this port; the event that ends the run."""
    apps: list[Any] = []

    def run_job(port: int | None, name: str = "mail.send", **kwargs: Any) -> Any:
        if not apps:
            url = None if port is None else f"smtp://127.0.0.1:{port}"
            changed = {
                "smtp_url": url,
                "mail_from": "Desk <desk@example.org>",
                "mail_retry_seconds": 0.2,
            }
            start_worker(settings.model_copy(update=changed))
            apps.append(create_app(settings))
        return stream.end(str(apps[0].send_task(name, kwargs=kwargs).id))

    yield run_job
    for app in apps:
        app.close()


def later(times: int) -> Judge:
    return lambda number, address: "451 come back later" if number <= times else None


def subjects(server: MailServer) -> list[str]:
    return [str(taken.mail["Subject"]) for taken in server.taken]


def test_a_mail_from_a_template_arrives_under_the_id_of_its_run(run_job: Run) -> None:
    with mail_server() as server:
        end = run_job(
            server.port, to=["ada@example.org"], template="welcome", context={"name": "Ada <3"}
        )
    assert end.kind == "run.succeeded", end
    (taken,) = server.taken
    assert end.result == {"message_id": f"<{end.run}@example.org>", "to": ["ada@example.org"]}
    assert (taken.mail["Message-ID"], taken.mail["From"]) == (
        f"<{end.run}@example.org>",
        "Desk <desk@example.org>",
    )
    html = taken.mail.get_body(("html",))
    assert html is not None
    assert "Hello Ada &lt;3," in html.get_content()


def test_a_server_that_refuses_twice_gets_the_mail_in_the_third_attempt(
    run_job: Run, stream: Stream
) -> None:
    with mail_server(later(2)) as server:
        end = run_job(server.port, to=["ada@example.org"], subject="Third time lucky", text="…")
    assert (end.kind, end.attempt) == ("run.succeeded", 3)
    assert subjects(server) == ["Third time lucky"]
    tries = [event for event in stream.of(end.run) if event.kind == "run.retried"]
    assert [event.attempt for event in tries] == [1, 2]
    assert all("ada@example.org: 451 come back later" in event.error for event in tries)


def test_a_server_that_never_takes_it_is_asked_four_times(run_job: Run) -> None:
    with mail_server(later(99)) as server:
        end = run_job(server.port, to=["ada@example.org"], subject="Never", text="…")
    assert (end.kind, end.attempt, server.begun) == ("run.failed", 4, 4)
    assert "MailDeferred" in end.error


def test_what_the_server_refuses_for_good_is_not_tried_again(run_job: Run) -> None:
    with mail_server(
        lambda number, address: "550 no such user" if address.startswith("eve") else None
    ) as server:
        end = run_job(
            server.port, to=["ada@example.org", "eve@example.org"], subject="Hello", text="…"
        )
    assert (end.kind, end.attempt, server.begun) == ("run.failed", 1, 1)
    assert "eve@example.org: 550 no such user; it took the mail for ada@example.org" in end.error


def test_who_has_the_mail_already_does_not_get_it_again(run_job: Run) -> None:
    with mail_server(
        lambda n, address: "451 later" if address.startswith("eve") and n == 1 else None
    ) as server:
        end = run_job(
            server.port, to=["ada@example.org", "eve@example.org"], subject="Hello", text="…"
        )
    assert end.kind == "run.succeeded"
    assert [taken.to for taken in server.taken] == [["ada@example.org"], ["eve@example.org"]]
    assert len({str(taken.mail["Message-ID"]) for taken in server.taken}) == 1


def test_a_server_that_is_away_fails_the_run_after_its_attempts(run_job: Run) -> None:
    end = run_job(free_port(), to=["ada@example.org"], subject="Hello", text="…")
    assert (end.kind, end.attempt) == ("run.failed", 4)
    assert "the connection was refused" in end.error


def test_mails_that_cannot_be_sent_fail_with_the_parameter(
    services: Services, run_job: Run
) -> None:
    with mail_server() as server:
        ada = {"to": ["ada@example.org"]}
        cases = [
            ({"to": [], "subject": "s"}, "to: "),
            ({"to": ["ada"], "subject": "s"}, "'ada' is not a mail address"),
            (
                {"to": ["ada@example.org\nBcc: eve@example.org"], "subject": "s"},
                "is not a mail address",
            ),
            ({**ada, "subject": "a\nBcc: eve@example.org", "text": "t"}, "subject: "),
            ({**ada}, "give either a template or a subject"),
            ({**ada, "template": "welcome", "subject": "s"}, "give either a template or a subject"),
            (
                {**ada, "template": "none-such"},
                "'none-such.txt' does not exist; use one of report, welcome",
            ),
            ({**ada, "template": "welcome", "context": {}}, "'name' is undefined"),
            ({**ada, "subject": "s", "reports": ["no-such"]}, "there is no report 'no-such'"),
            ({**ada, "subject": "s", "bcc": ["eve@example.org"]}, "bcc: "),
        ]
        ends = [(words, run_job(server.port, **kwargs)) for kwargs, words in cases]
    wrong = [
        (words, end)
        for words, end in ends
        if (end.kind, end.attempt) != ("run.failed", 1) or words not in end.error
    ]
    assert wrong == []
    assert server.begun == 0


def test_without_a_server_the_run_says_which_setting_is_missing(run_job: Run) -> None:
    assert (
        "set BEATDESK_SMTP_URL"
        in run_job(None, to=["ada@example.org"], subject="s", text="t").error
    )


def test_a_stored_report_goes_with_the_mail(
    services: Services, stream: Stream, run_job: Run
) -> None:
    with mail_server() as server:
        run_job(server.port, "reports.job_summary")
        stored = [event for event in stream.events() if isinstance(event, ReportStored)]
        record(services, *stored)
        end = run_job(
            server.port,
            to=["ada@example.org"],
            subject="Summary",
            text="…",
            reports=[r.report for r in stored],
        )
    assert end.kind == "run.succeeded", end
    files = {
        part.get_filename(): part.get_payload(decode=True)
        for part in server.taken[0].mail.iter_attachments()
    }
    assert sorted(str(name).rpartition(".")[2] for name in files) == sorted(
        r.path.rpartition(".")[2] for r in stored
    )
    assert set(files.values()) == {
        (services.settings.reports_dir / report.path).read_bytes() for report in stored
    }
