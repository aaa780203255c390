"""Does a call fit a job? The table of what is refused, and with which words."""

import pytest

from scheduler.catalogue.call_check import call_of, check_arguments
from scheduler.catalogue.catalogue import unknown_job
from scheduler.catalogue.records import Job, Parameter
from scheduler.errors import BadArguments

SUMMARY = Job(
    name="reports.job_summary",
    parameters=[Parameter(name="days", required=False, default=1, annotation="int")],
)
PLACES = Job(
    name="tests.places",
    parameters=[
        Parameter(name="first", kind="positional_only", annotation="str"),
        Parameter(name="second"),
        Parameter(
            name="only_named",
            kind="keyword_only",
            required=False,
            default=None,
            annotation="list[str] | None",
        ),
    ],
)
OPEN = Job(
    name="tests.open",
    parameters=[
        Parameter(name="args", kind="var_positional", required=False),
        Parameter(name="kwargs", kind="var_keyword", required=False),
    ],
)


@pytest.mark.parametrize(
    ("job", "args", "kwargs"),
    [
        (SUMMARY, [], {}),
        (SUMMARY, [7], {}),
        (SUMMARY, [], {"days": 7}),
        (PLACES, ["a", 2], {}),
        (PLACES, ["a"], {"second": {"any": "thing"}, "only_named": ["x"]}),
        (PLACES, ["a"], {"second": None, "only_named": None}),
        (OPEN, [1, 2, 3], {"whatever": 1}),
        (
            Job(name="x", parameters=[Parameter(name="at", annotation="datetime")]),
            ["2026-11-21"],
            {},
        ),
        (Job(name="x", parameters=[Parameter(name="ratio", annotation="float")]), [1], {}),
        (
            Job(name="x", parameters=[Parameter(name="pair", annotation="dict[str, int | None]")]),
            [{}],
            {},
        ),
    ],
)
def test_calls_that_fit_are_accepted(
    job: Job, args: list[object], kwargs: dict[str, object]
) -> None:
    check_arguments(job, args, kwargs)


@pytest.mark.parametrize(
    ("job", "args", "kwargs", "field", "words"),
    [
        (SUMMARY, [1, 2], {}, "args", "takes at most 1 positional argument(s), 2 are given"),
        (SUMMARY, [], {"day": 1}, "kwargs", "no parameter 'day' (did you mean 'days'?)"),
        (SUMMARY, [1], {"days": 1}, "kwargs", "'days' is given twice"),
        (SUMMARY, [], {"days": "1"}, "kwargs", "days must be int, not '1'"),
        (SUMMARY, [True], {}, "args", "days must be int, not True"),
        (SUMMARY, [1.5], {}, "args", "days must be int, not 1.5"),
        (SUMMARY, [None], {}, "args", "days must be int, not None"),
        (PLACES, [], {}, "kwargs", "needs a value for 'first', 'second'"),
        (PLACES, ["a"], {}, "kwargs", "needs a value for 'second'"),
        (PLACES, [], {"first": "a", "second": 1}, "kwargs", "no parameter 'first'"),
        (PLACES, ["a", 2, ["x"]], {}, "args", "takes at most 2"),
        (PLACES, ["a", 2], {"only_named": "x"}, "kwargs", "only_named must be list[str] | None"),
    ],
)
def test_calls_that_do_not_fit_are_refused_with_the_parameter(
    job: Job, args: list[object], kwargs: dict[str, object], field: str, words: str
) -> None:
    with pytest.raises(BadArguments) as refused:
        check_arguments(job, args, kwargs)
    assert words in str(refused.value)
    assert refused.value.field == field


def test_a_refusal_shows_the_call() -> None:
    assert call_of(SUMMARY) == "reports.job_summary(days: int = 1)"
    assert (
        call_of(PLACES) == "tests.places(first: str, second, only_named: list[str] | None = None)"
    )
    assert call_of(OPEN) == "tests.open(*args, **kwargs)"


def test_an_unknown_job_is_refused_with_what_may_have_been_meant() -> None:
    error = unknown_job("reports.job_sumary", ["reports.job_summary", "cleanup.job_history"])
    assert "did you mean reports.job_summary" in str(error)
    assert "BEATDESK_JOBS" in str(error)
    assert error.field == "job"
    assert "did you mean" not in str(unknown_job("x", ["reports.job_summary"]))
