"""What may be stored as the call of a schedule: no secret itself, only a reference."""

from typing import Any

import pytest

from scheduler.catalogue.call_check import check_arguments, check_saved_call
from scheduler.catalogue.records import Job, Parameter
from scheduler.errors import BadArguments

JOB = Job(
    name="shop.sync",
    parameters=[
        Parameter(name="user"),
        Parameter(name="password", required=False),
        Parameter(name="options", required=False),
        Parameter(name="more", kind="var_positional", required=False),
        Parameter(name="rest", kind="var_keyword", required=False),
    ],
)


@pytest.mark.parametrize(
    ("args", "kwargs", "place"),
    [
        (["ann"], {"password": "hunter2"}, "password"),
        (["ann", "hunter2"], {}, "password"),
        (["ann"], {"options": {"db": [{"apiKey": "abcdef"}]}}, "options.db[0].apiKey"),
        (["ann", None, None, {"token": "abcdef"}], {}, "args[3].token"),
        (["ann"], {"headers": {"Authorization": "Bearer abcdef"}}, "headers.Authorization"),
        (["ann"], {"password": "•••••"}, "password"),
    ],
)
def test_a_secret_itself_is_refused_with_the_place_and_the_remedy(
    args: list[Any], kwargs: dict[str, Any], place: str
) -> None:
    check_arguments(JOB, args, kwargs)
    with pytest.raises(BadArguments, match="write secret://name here") as caught:
        check_saved_call(JOB, args, kwargs)
    assert str(caught.value).startswith(f"{place}: ")
    assert "hunter2" not in str(caught.value)
    assert "abcdef" not in str(caught.value)


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        (["ann"], {"password": "secret://shop"}),
        (["ann", "secret://shop"], {}),
        (["ann"], {"headers": {"Authorization": "Bearer secret://shop"}}),
        (["ann"], {"options": {"max_tokens": 4096, "use_token": True, "token_url": "https://a"}}),
        (["ann"], {"password": None}),
    ],
)
def test_a_reference_and_a_harmless_value_are_accepted(
    args: list[Any], kwargs: dict[str, Any]
) -> None:
    check_saved_call(JOB, args, kwargs)


def test_a_value_of_many_levels_ends_the_look_and_not_the_process() -> None:
    deep: Any = "x"
    for _ in range(900):
        deep = [deep]
    check_saved_call(JOB, ["ann", deep], {})
