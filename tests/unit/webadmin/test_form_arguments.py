"""The fields made from a job's parameters: what is typed, and what was saved, mean the same both
ways.
"""

import json
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from werkzeug.datastructures import MultiDict

from scheduler.catalogue.json_schema import inlined
from scheduler.catalogue.records import Parameter
from webadmin.forms import arguments

PARAMETERS = [
    Parameter(name="count", required=False, default=1, annotation="int"),
    Parameter(name="ratio", required=False, default=0.5, annotation="float"),
    Parameter(name="flag", required=False, default=False, annotation="bool"),
    Parameter(name="text", required=False, default="", annotation="str | None"),
    Parameter(name="mode", required=False, default="a", annotation="Literal['a', 'b', 3]"),
    Parameter(name="data", required=False, default=None, annotation="dict[str, int] | list[int]"),
    Parameter(name="rest", kind="var_keyword", required=False),
]

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([p.name for p in PARAMETERS] + ["other"]), json_values))
def test_saved_arguments_come_back_exactly_or_are_shown_as_json(kwargs: dict[str, Any]) -> None:
    try:
        given_ = arguments.split(PARAMETERS, [], kwargs)
    except arguments.Unsplittable:
        return
    joined, faults = arguments.join(PARAMETERS, given_)
    assert not faults
    assert json.dumps(joined, sort_keys=True) == json.dumps(kwargs, sort_keys=True)


@pytest.mark.parametrize(
    "kwargs",
    [
        {"count": 3},
        {"ratio": 2.5},
        {"flag": True},
        {"text": "a b"},
        {"mode": "b"},
        {"mode": 3},
        {"data": {"a": [1]}},
        {},
    ],
)
def test_plain_values_fit_fields(kwargs: dict[str, Any]) -> None:
    assert arguments.join(PARAMETERS, arguments.split(PARAMETERS, [], kwargs)) == (kwargs, {})


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ([1], {}),
        ([], {"unknown": 1}),
        ([], {"text": ""}),
        ([], {"text": None}),
        ([], {"count": "3"}),
    ],
)
def test_what_fields_cannot_say_is_left_to_json(args: list[Any], kwargs: dict[str, Any]) -> None:
    with pytest.raises(arguments.Unsplittable):
        arguments.split(PARAMETERS, args, kwargs)


def test_a_parameter_that_can_only_be_given_by_place_needs_json() -> None:
    assert not arguments.fits([Parameter(name="x", kind="positional_only")])
    assert arguments.fits(PARAMETERS)


@pytest.mark.parametrize(
    ("annotation", "widget"),
    [
        ("int", "integer"),
        ("Optional[int]", "integer"),
        ("int | None", "integer"),
        ("int | str", "json"),
        ("str", "text"),
        ("", "json"),
        ("list[str]", "json"),
        ("typing.Literal['x']", "choice"),
    ],
)
def test_the_annotation_decides_how_a_value_is_typed(annotation: str, widget: str) -> None:
    assert arguments.widget(Parameter(name="x", annotation=annotation)) == widget


class Order(BaseModel):
    """Parameters of a job, with what fits each."""

    count: int = Field(1, ge=1, le=31)
    ratio: float | None = None
    flag: bool = False
    size: Literal["small", "large"] = "small"
    label: str = Field("", max_length=5)
    tags: list[str] = []
    mixed: int | str = 1


SCHEMA = Order.model_json_schema()
MODELLED = [
    Parameter(name=name, kind="keyword_only", required=False, json_schema=inlined(about, SCHEMA))
    for name, about in SCHEMA["properties"].items()
]


def test_fields_are_made_from_what_the_model_says() -> None:
    form = arguments.ParametersForm(MODELLED, MultiDict())
    made = {field.short_name: (field.kind, field.choices, field.bounds) for field in form}
    assert made == {
        "count": ("integer", (), "1 to 31"),
        "ratio": ("number", (), ""),
        "flag": ("boolean", (), ""),
        "size": ("choice", ('"small"', '"large"'), ""),
        "label": ("text", (), "at most 5 characters"),
        "tags": ("json", (), ""),
        "mixed": ("json", (), ""),
    }


def test_choices_and_defaults_are_read_without_the_marks_of_json() -> None:
    words = arguments.ParameterField.words
    assert [words(text) for text in ('"small"', "3", "null", "true", '""')] == [
        "small",
        "3",
        "none",
        "true",
        '""',
    ]


def test_what_does_not_fit_the_model_is_said_at_its_field() -> None:
    _, faults = arguments.join(MODELLED, {"count": "99", "tags": "[1]", "label": "too long"})
    assert faults == {
        "p.count": "Must be at most 31, not 99.",
        "p.tags": "[0]: must be a text, not 1.",
        "p.label": "Must have at most 5 characters, it has 8.",
    }
    assert arguments.join(MODELLED, {"count": "secret://shop-count"}) == (
        {"count": "secret://shop-count"},
        {},
    )


def test_a_text_that_may_be_long_is_typed_in_several_lines() -> None:
    schemas = {"statement": 20_000, "title": 120}
    parameters = [
        Parameter(name=name, annotation="str", json_schema={"type": "string", "maxLength": most})
        for name, most in schemas.items()
    ]
    assert [field.is_long for field in arguments.ParametersForm(parameters, MultiDict())] == [
        True,
        False,
    ]
