"""`http.request` on a real worker, against servers that a setting opens."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scheduler.celery_app.app import create_app
from scheduler.settings.schema import Settings
from tests.support.listeners import Listener, listening, says
from tests.support.ports import free_port
from tests.support.processes import start_worker
from tests.support.runs.stream import Stream

Run = Callable[..., Any]
SECRET = "s3cr3t-of-the-shop-0123456789"


@pytest.fixture
def run_job(settings: Settings, stream: Stream, tmp_path: Path) -> Iterator[Run]:
    """Send a request from a worker that may reach loopback and knows one secret; the event that
    ends the run.
    """
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "shop-token").write_text(SECRET)
    uses = tuple(f"{name} http.request:headers@127.0.0.1" for name in ("shop-token", "unknown"))
    settings = settings.model_copy(
        update={"http_allow": ("127.0.0.1/32",), "secrets_dir": folder, "secret_uses": uses}
    )
    app = create_app(settings)
    start_worker(settings)

    def run_job(url: str, **kwargs: Any) -> Any:
        return stream.end(str(app.send_task("http.request", kwargs={"url": url, **kwargs}).id))

    yield run_job
    app.close()


def at(listener: Listener, path: str = "/") -> str:
    return f"http://127.0.0.1:{listener.port}{path}"


def test_an_answer_becomes_the_result(run_job: Run) -> None:
    with listening(says("200 OK", b'{"sold": 3}', "Content-Type: application/json")) as shop:
        end = run_job(
            at(shop, "/hook"), method="POST", body={"day": "monday"}, headers={"X-Shop": "berlin"}
        )
    assert end.kind == "run.succeeded", end
    result = {
        name: end.result[name] for name in ("status", "reason", "address", "size", "cut", "body")
    }
    assert result == {
        "status": 200,
        "reason": "OK",
        "address": "127.0.0.1",
        "size": 11,
        "cut": False,
        "body": '{"sold": 3}',
    }
    head, _, body = shop.requests[0].partition("\r\n\r\n")
    assert "Content-Type: application/json" in head
    assert "X-Shop: berlin" in head
    assert body == '{"day": "monday"}'


def test_a_secret_reaches_the_server_and_nothing_that_is_written_down(
    run_job: Run, stream: Stream
) -> None:
    said = f"you said: Bearer {SECRET}".encode()
    headers = {"Authorization": "Bearer secret://shop-token"}
    with listening(says("200 OK", said)) as echo:
        well = run_job(at(echo), headers=headers)
    with listening(
        says("500 Oh", b"." * 480 + said)
    ) as echo_in_error:  # the excerpt ends in the middle of the secret
        ill = run_job(at(echo_in_error), headers=headers)
    assert f"Authorization: Bearer {SECRET}" in echo.requests[0]
    assert well.result["body"] == "you said: •••••"
    assert "answered 500 Oh, and 200 to 299 was expected" in ill.error
    assert SECRET[:8] not in ill.error
    everything = [
        event.model_dump_json() for run in (well.run, ill.run) for event in stream.of(run)
    ]
    assert not [text for text in everything if SECRET in text]


@pytest.mark.parametrize(
    ("answer", "expect", "well"),
    [
        ("204 No", [], True),
        ("302 Found", [], False),
        ("302 Found", [302], True),
        ("200 OK", [201, 202], False),
    ],
)
def test_the_status_decides(run_job: Run, answer: str, expect: list[int], well: bool) -> None:
    with listening(says(answer, b"")) as server:
        end = run_job(at(server), expect=expect)
    assert end.kind == ("run.succeeded" if well else "run.failed"), end


def test_requests_that_cannot_be_made_fail_with_the_reason(run_job: Run) -> None:
    port = free_port()
    cases = [
        (
            f"http://127.0.0.1:{port}/",
            {},
            f"Unanswered: http://127.0.0.1:{port}: the connection was refused",
        ),
        (
            "http://127.0.0.2/",
            {},
            "Refused: http://127.0.0.2:80: 127.0.0.2 is not an address of the public internet",
        ),
        ("http://2130706433/", {}, "not a plain address"),
        ("http://169.254.169.254/latest/meta-data/", {}, "not an address of the public internet"),
        ("file:///etc/passwd", {}, "starts with http://"),
        ("http://nowhere.invalid/", {}, "the name cannot be looked up"),
        ("http://127.0.0.1/", {"headers": {"Host": "inner"}}, "Host is set by the request itself"),
        ("http://127.0.0.1/", {"headers": {"X": "a\r\nHost: inner"}}, "is not one line"),
        ("http://127.0.0.1/", {"method": "TRACE"}, "method: "),
        ("http://127.0.0.1/", {"timeout": 60}, "timeout: "),
        ("http://127.0.0.1/", {"body": "x" * 70_000}, "at most 65536 are sent"),
        (
            "http://127.0.0.1/",
            {"headers": {"X": "secret://unknown"}},
            "there is no secret 'unknown'",
        ),
        (
            "http://127.0.0.1/",
            {"headers": {"X": "secret://other"}},
            "BEATDESK_SECRET_USES: other http.request:headers@127.0.0.1",
        ),
        (
            "http://localhost/",
            {"headers": {"X": "secret://shop-token"}},
            "the secret 'shop-token' may not be used here",
        ),
    ]
    wrong = []
    for url, more, words in cases:
        end = run_job(url, **more)
        if end.kind != "run.failed" or words not in end.error:
            wrong.append((url, words, end))
    assert wrong == []
