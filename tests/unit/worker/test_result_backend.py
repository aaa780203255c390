"""Celery's results without a store of results: what is made of a run, without asking anybody."""

from datetime import UTC, datetime
from typing import Any

import pytest
from celery.exceptions import TaskRevokedError

from scheduler.celery_app.app import create_app
from scheduler.history.queries.views import AttemptView, ChildView, RunView
from scheduler.settings.schema import Settings
from scheduler.worker.result_backend import (
    HistoryBackend,
    RunResult,
    exception_of,
    meta_of,
)

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def a_run(state: str, **more: Any) -> RunView:
    nothing = dict.fromkeys(RunView.model_fields)
    return RunView(
        **{
            **nothing,
            "id": "r1",
            "job": "shop.add",
            "ticks": 1,
            "attempts": [],
            "children": [],
            "state": state,
            **more,
        }
    )


def test_the_back_end_is_there_without_a_connection_and_beat_cleans_up_nothing() -> None:
    app = create_app(Settings(secret_key="s" * 40))  # sockets are blocked here
    assert isinstance(app.backend, HistoryBackend)
    assert isinstance(app.AsyncResult("r1"), RunResult)
    assert app.conf.result_expires is None
    assert app.backend.as_uri() == "the history"
    assert app.backend.store_result("r1", 3, "SUCCESS") == 3


def test_a_back_end_that_is_set_is_celerys_own() -> None:
    app = create_app(Settings(secret_key="s" * 40, result_backend="cache+memory://"))
    assert not isinstance(app.backend, HistoryBackend)
    assert not isinstance(app.AsyncResult("r1"), RunResult)


def test_a_run_is_described_as_celery_describes_a_task() -> None:
    attempt = AttemptView(
        number=1, started_at=NOON, finished_at=NOON, state="failed", error="no", worker="w1@host"
    )
    run = a_run(
        "succeeded",
        result={"sold": 3},
        finished_at=NOON,
        attempts=[attempt, attempt.model_copy(update={"number": 2, "state": "succeeded"})],
        children=[ChildView(id="r2", job="shop.sum", state="queued")],
    )
    meta = meta_of(run)
    told = {
        name: meta[name]
        for name in ("task_id", "status", "result", "name", "retries", "date_done", "children")
    }
    assert told == {
        "task_id": "r1",
        "status": "SUCCESS",
        "result": {"sold": 3},
        "name": "shop.add",
        "retries": 1,
        "date_done": NOON,
        "children": [(("r2", None), None)],
    }


def test_a_run_that_is_under_way_has_no_result() -> None:
    assert meta_of(a_run("running", result=None))["result"] is None


@pytest.mark.parametrize("state", ["expired", "revoked", "skipped", "missed"])
def test_what_never_ran_to_its_end_is_raised_as_revoked(state: str) -> None:
    assert isinstance(meta_of(a_run(state))["result"], TaskRevokedError)


@pytest.mark.parametrize(
    ("text", "name", "said", "kind"),
    [
        ("ValueError: no such luck", "ValueError", "no such luck", ValueError),
        ("ValueError", "ValueError", "", ValueError),
        ("MailDeferred: later: 451", "MailDeferred", "later: 451", Exception),
        ("cancelled: by hand", "cancelled", "by hand", Exception),
        ("SystemExit: 3", "SystemExit", "3", Exception),
        ("UnicodeDecodeError: bad byte", "UnicodeDecodeError", "bad byte", Exception),
        ("no name at all", "Exception", "no name at all", Exception),
        ("print: x", "print", "x", Exception),
    ],
)
def test_a_failure_is_an_exception_of_the_same_name(
    text: str, name: str, said: str, kind: type[Exception]
) -> None:
    error = exception_of(text)
    assert (type(error).__name__, str(error)) == (name, said)
    assert isinstance(error, kind)
