"""Values against the JSON schema that pydantic writes for a model: it refuses what the model
refuses, in words.
"""

from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scheduler.catalogue.json_schema import alternatives, faults, words_of


class Inner(BaseModel):
    """Nested."""

    model_config = ConfigDict(extra="forbid", strict=True)

    size: int = Field(gt=0, multiple_of=5)
    label: str | None = None


class Model(BaseModel):
    """One of each kind."""

    model_config = ConfigDict(extra="forbid", strict=True)

    days: int = Field(1, ge=1, le=31)
    ratio: float = Field(0.5, lt=1)
    mode: Literal["fast", "slow", 3] = "fast"
    code: str = Field("ab", min_length=2, max_length=4, pattern="^[a-z]+$")
    on: bool | None = None
    names: list[str] = Field([], max_length=2)
    inner: Inner | None = None
    table: dict[str, int] = {}
    either: Annotated[int, Field(ge=10)] | list[int] = 10


SCHEMA = Model.model_json_schema()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"days": 0}, "days: must be at least 1, not 0"),
        ({"days": True}, "days: must be a whole number, not true"),
        ({"ratio": 1}, "ratio: must be less than 1, not 1"),
        ({"mode": "quick"}, 'mode: must be one of "fast", "slow", 3, not "quick"'),
        ({"code": "a"}, "code: must have at least 2 characters"),
        ({"code": "ABC"}, 'code: must match ^[a-z]+$, and "ABC" does not'),
        (
            {"on": "yes"},
            'on: must be true or false, not "yes" or must be nothing (null), not "yes"',
        ),
        ({"names": ["a", 2]}, "names[1]: must be a text, not 2"),
        ({"names": ["a", "b", "c"]}, "names: must have at most 2 parts, it has 3"),
        ({"inner": {"size": 7}}, "inner.size: must be a multiple of 5, not 7"),
        ({"inner": {}}, "inner.size: is needed"),
        ({"inner": {"size": 5, "other": 1}}, "inner.other: is not known; known are size, label"),
        ({"table": {"a": "b"}}, 'table.a: must be a whole number, not "b"'),
        ({"either": 3}, "either: must be at least 10, not 3"),
        (
            {"day": 1},
            "day: is not known; known are days, ratio, mode, code, on, names, inner, table, either",
        ),
    ],
)
def test_what_does_not_fit_is_said_with_its_place(value: dict[str, Any], said: str) -> None:
    assert faults(SCHEMA, value) == [said]


@pytest.mark.parametrize(
    ("schema", "value", "words"),
    [
        ({"minProperties": 1}, {}, "must have at least 1 entries, it has 0"),
        (
            {"propertyNames": {"enum": ["red"]}},
            {"blue": 1},
            'blue: the name must be one of "red", not "blue"',
        ),
        (
            {"patternProperties": {"^a": {"type": "string"}}},
            {"ab": 1},
            "ab: must be a text, not 1",
        ),
        ({"properties": {"a": False}}, {"a": 1}, "a: must be left out"),
        ({"prefixItems": [{}], "items": False}, [1, 2], "[1]: must be left out"),
        ({"multipleOf": 0.1}, 0.25, "must be a multiple of 0.1, not 0.25"),
        ({"multipleOf": 5}, 7.5, "must be a multiple of 5, not 7.5"),
        ({"const": 1}, True, "must be 1, not true"),
        ({"enum": [[1]]}, [True], "must be one of [1], not [true]"),
        ({"anyOf": [{"type": "integer"}], "maximum": 3}, 4, "must be at most 3, not 4"),
        (
            {"anyOf": [{"type": ["integer", "null"], "maximum": 3}, False]},
            4,
            "must be at most 3, not 4",
        ),
        (
            {"$ref": "#/$defs/A", "maximum": 9, "$defs": {"A": {"maximum": 3}}},
            4,
            "must be at most 3, not 4",
        ),
    ],
)
def test_each_keyword_that_pydantic_writes_has_its_words(
    schema: dict[str, Any], value: Any, words: str
) -> None:
    assert faults(schema, value) == [words]


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"patternProperties": {"(?<bad>": False}, "additionalProperties": False}, {"a": 1}),
        ({"pattern": "(?<bad>"}, "a"),
        ({"enum": [1.0]}, 1),
        ({"multipleOf": 0.1}, 0.3),
        ({"multipleOf": 0.1}, 10**400),
        ({"patternProperties": {"^a": {}}, "additionalProperties": False}, {"ab": 1}),
        ({"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}}, 1),
    ],
)
def test_what_cannot_be_judged_or_fits_passes(schema: dict[str, Any], value: Any) -> None:
    assert faults(schema, value) == []


def test_types_in_a_list_are_written_one_after_the_other() -> None:
    schema = {"type": ["integer", "null"]}
    assert words_of(schema, schema) == "int | None"
    assert alternatives({"anyOf": [True, {"type": "null"}]}) == [{}]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-40, 40)
    | st.floats(-2, 2)
    | st.sampled_from(["fast", "ab", "abc", "B", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["size", "label", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from([*Model.model_fields, "other"]), json_values, max_size=3))
def test_it_refuses_what_the_model_refuses_and_nothing_else(value: dict[str, Any]) -> None:
    try:
        Model.model_validate(value)
    except ValidationError:
        assert faults(SCHEMA, value)
    else:
        assert faults(SCHEMA, value) == []


def test_what_names_a_secret_is_left_to_the_worker() -> None:
    assert faults(SCHEMA, {"code": "secret://shop-code"}) == []


def test_a_choice_that_is_a_list_is_compared_item_by_item() -> None:
    assert faults({"enum": [[1.0, "a"]]}, [1, "a"]) == []
    assert faults({"enum": [[1, "a"]]}, [True, "a"])
    assert faults({"enum": [[1, "a"]]}, [1, "a", "b"])
