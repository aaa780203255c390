"""What is read off a job's function."""

from typing import Any, Literal

import pytest
from celery import Celery, shared_task
from pydantic import BaseModel, Field

from scheduler.catalogue.call_check import check_arguments
from scheduler.catalogue.records import Job, Parameter
from scheduler.errors import BadArguments
from scheduler.job import job
from scheduler.worker.introspect import describe, jobs_of

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
            Parameter(
                name="third", kind="keyword_only", required=False, annotation="list[str] | None"
            ),
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
    assert [parameter.kind for parameter in job.parameters] == [
        "var_positional",
        "keyword_only",
        "var_keyword",
    ]
    assert job.parameters[1].default == "<class 'object'>"


def test_tasks_of_celery_itself_are_left_out() -> None:
    assert [
        job.name
        for job in jobs_of(app)
        if job.name.startswith("t.") or job.name.startswith("celery")
    ] == [
        "t.bound",
        "t.plain",
        "t.silent",
    ]


class Order(BaseModel):
    """Parameters."""

    count: int = Field(1, ge=1, description="how many")
    size: Literal["small", "large"]
    tags: list[str] = []


@job(
    "shared.modelled",
    params=Order,
    retry_for=(OSError,),
    retries=5,
    soft_time_limit=60,
    queue="bulk",
)
def modelled(order: Order) -> None:
    """Order it."""


@shared_task(name="shared.documented")
def documented(days: int = 1) -> None:
    """Do it.

    :param days: how many days
    """


def test_a_model_of_parameters_describes_them_with_what_fits() -> None:
    said = described(app.tasks["shared.modelled"])
    assert [(p.name, p.annotation, p.required, p.default, p.doc) for p in said.parameters] == [
        ("count", "int", False, 1, "how many"),
        ("size", "'small' | 'large'", True, None, ""),
        ("tags", "list[str]", False, [], ""),
    ]
    assert said.parameters[0].json_schema == {
        "default": 1,
        "description": "how many",
        "minimum": 1,
        "title": "Count",
        "type": "integer",
    }
    assert said.title == "Order it"
    assert (said.queue, said.soft_time_limit, said.time_limit, said.retries) == ("bulk", 60, 70, 5)
    with pytest.raises(BadArguments, match=r"shared\.modelled: count: must be at least 1, not 0"):
        check_arguments(said, [], {"count": 0, "size": "small"})
    with pytest.raises(BadArguments, match="needs a value for 'size'"):
        check_arguments(said, [], {})
    check_arguments(said, [], {"size": "secret://shop-size"})


def test_a_title_of_its_own_leaves_the_docstring_whole() -> None:
    @job("shared.titled", title="Its title")
    def titled() -> None:
        """The first line.

        And more.
        """

    said = described(app.tasks["shared.titled"])
    assert (said.title, said.doc) == ("Its title", "The first line.\n\nAnd more.")


def test_what_a_docstring_says_of_a_parameter_is_told() -> None:
    assert described(app.tasks["shared.documented"]).parameters[0].doc == "how many days"
