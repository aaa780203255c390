"""What is read off a job's function."""

from typing import Any

from celery import Celery

from scheduler.catalogue import Job, Parameter
from scheduler.runs.introspect import describe, jobs_of

app = Celery("tests", broker="memory://")


@app.task(name="t.plain")
def plain(first, second: int = 2, *, third: "list[str] | None" = None) -> None:  # type: ignore[no-untyped-def]
    """Do it.

    In detail.
    """


@app.task(name="t.bound", bind=True, autoretry_for=(ValueError,))
def bound(self: Any, days: float = 1.5) -> None:
    """A bound one"""


@app.task(name="t.silent")
def silent(*args: Any, when: Any = object, **kwargs: Any) -> None:
    return None


def described(task: Any) -> Job:
    return describe(task.name, task)


def test_signature_and_docstring_describe_a_job() -> None:
    assert described(plain) == Job(
        name="t.plain",
        title="Do it",
        doc="In detail.",
        parameters=[
            Parameter(name="first", required=True),
            Parameter(name="second", required=False, default=2, annotation="int"),
            Parameter(name="third", kind="keyword_only", required=False, annotation="list[str] | None"),
        ],
        module=__name__,
    )


def test_a_bound_job_does_not_show_its_self_and_a_wrapped_one_shows_its_own_signature() -> None:
    job = described(bound)
    assert [parameter.name for parameter in job.parameters] == ["days"]
    assert job.title == "A bound one"


def test_a_job_without_words_is_called_by_its_name_and_odd_defaults_are_told_as_text() -> None:
    job = described(silent)
    assert job.title == "t.silent"
    assert [parameter.kind for parameter in job.parameters] == ["var_positional", "keyword_only", "var_keyword"]
    assert job.parameters[1].default == "<class 'object'>"


def test_tasks_of_celery_itself_are_left_out() -> None:
    assert [job.name for job in jobs_of(app)] == ["t.bound", "t.plain", "t.silent"]
