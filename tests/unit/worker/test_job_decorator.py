"""`@job` declares a Celery task, and `run` is harmless outside of a run."""

import pytest
from celery import Celery
from pydantic import BaseModel, Field

from scheduler.errors import BadArguments
from scheduler.job import job, run


class Wish(BaseModel):
    days: int = Field(1, ge=1)
    name: str


@pytest.fixture
def app():
    made = Celery("test", set_as_current=True, broker="memory://")
    yield made
    made.close()


def test_a_job_is_a_celery_task_with_what_its_author_said(app):
    @job(
        "decl.plain",
        title="A plain one",
        queue="bulk",
        retry_for=(OSError,),
        retries=2,
        soft_time_limit=5,
    )
    def plain(days: int = 1) -> int:
        return days + 1

    app.finalize()
    task = app.tasks["decl.plain"]
    assert plain(3) == 4
    assert (task.title, task.goes_to, task.max_retries, task.soft_time_limit) == (
        "A plain one",
        "bulk",
        2,
        5,
    )
    assert task.time_limit == 15
    assert task.autoretry_for == (OSError,)


def test_a_model_of_parameters_is_given_as_one_checked_object(app):
    @job("decl.modelled", params=Wish)
    def modelled(wish: Wish) -> str:
        return f"{wish.name} {wish.days}"

    app.finalize()
    assert modelled(name="ada") == "ada 1"
    assert app.tasks["decl.modelled"].apply(kwargs={"name": "ada", "days": 3}).get() == "ada 3"


def test_parameters_that_do_not_fit_the_model_are_refused_each_by_its_name_and_without_its_value(
    app,
):
    @job("decl.refusing", params=Wish)
    def modelled(wish: Wish) -> str:
        return wish.name

    with pytest.raises(BadArguments) as refusal:
        modelled(days=0, name=["hush"])
    assert "days: Input should be greater than or equal to 1" in str(refusal.value)
    assert "name: Input should be a valid string" in str(refusal.value)
    assert "hush" not in str(refusal.value)
    with pytest.raises(BadArguments, match="by name"):
        modelled(3)


def test_a_bound_job_gets_its_task_before_its_parameters(app):
    @job("decl.bound", params=Wish, bind=True)
    def bound(self, wish: Wish) -> str:
        return f"{self.name} {wish.name}"

    app.finalize()
    assert app.tasks["decl.bound"].apply(kwargs={"name": "ada"}).get() == "decl.bound ada"


def test_outside_of_a_run_nothing_is_known_and_nothing_happens():
    run.progress(1, 2, "half")
    assert (run.id, run.attempt, run.schedule, run.tick) == (None, 1, None, None)
