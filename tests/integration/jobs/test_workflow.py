"""The example of a workflow on a real worker, as the history has it: parents, children, and the
branch for errors.
"""

from collections.abc import Callable, Iterator

import pytest

from scheduler.history.queries.views import RunFilter, RunView
from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from tests.support.processes import start_recorder, start_worker
from tests.support.waiting import wait_for

Start = Callable[..., str]


@pytest.fixture
def start(services: Services, settings: Settings) -> Iterator[Start]:
    """Start the workflow; its run's id."""
    start_recorder(settings)
    start_worker(settings, concurrency=2)
    yield lambda **kwargs: str(services.celery.send_task("demo.workflow", kwargs=kwargs).id)
    services.celery.close()


def ended(services: Services, job: str) -> list[RunView]:
    """The ended runs of a job."""
    return [
        run
        for run in services.history.runs(RunFilter(job=job)).items
        if run.state in ("succeeded", "failed")
    ]


def test_each_step_is_a_run_with_its_parent(services: Services, start: Start) -> None:
    run = start(parts=3)
    (end,) = wait_for(lambda: ended(services, "demo.sum_up"), 30, "the workflow has ended")
    workflow = services.history.run(run)
    assert workflow.result == {"ends_with": end.id}
    (prepare,) = workflow.children
    assert prepare.job == "demo.prepare"
    parts = services.history.run(prepare.id).children
    assert [(part.job, part.state) for part in parts] == [("demo.part", "succeeded")] * 3
    assert services.history.run(parts[0].id).parent == prepare.id
    whole = services.history.run(end.id)
    assert whole.result == 301 + 302 + 303
    assert whole.parent in {part.id for part in parts}
    assert services.history.runs(RunFilter(parent=prepare.id)).items[0].job == "demo.part"
    assert ended(services, "demo.clean_up") == []


def test_a_part_that_fails_leads_to_the_branch_for_errors_and_fails_the_end(
    services: Services, start: Start
) -> None:
    run = start(parts=3, fail_at=2)
    (cleaned,) = wait_for(
        lambda: ended(services, "demo.clean_up"), 30, "the branch for errors has run"
    )
    wait_for(lambda: len(ended(services, "demo.part")) == 3, 30, "all parts have ended")
    (failed,) = [part for part in ended(services, "demo.part") if part.state == "failed"]
    assert "part 2 was told to fail" in str(services.history.run(failed.id).error)
    (end,) = ended(services, "demo.sum_up")
    assert end.id == services.history.run(run).result["ends_with"]
    assert (end.state, end.started_at) == ("failed", None)
    assert "part 2 was told to fail" in str(services.history.run(end.id).error)
    assert services.history.run(cleaned.id).result == {"cleaned_up_after": end.id}
    assert [child.id for child in services.history.run(end.id).children] == [cleaned.id]
    with pytest.raises(Exception, match="part 2 was told to fail"):
        services.celery.AsyncResult(end.id).get(timeout=1)


@pytest.mark.parametrize(
    ("kwargs", "word"), [({"parts": 0}, "1 to 100"), ({"parts": 101}, "1 to 100")]
)
def test_a_workflow_without_sense_is_refused(
    services: Services, start: Start, kwargs: dict[str, int], word: str
) -> None:
    run = start(**kwargs)
    failed = wait_for(lambda: ended(services, "demo.workflow"), 20)[0]
    assert failed.id == run
    assert word in str(services.history.run(run).error)
