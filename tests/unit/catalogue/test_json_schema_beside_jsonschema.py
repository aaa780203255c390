"""Our reading of JSON Schema beside the package jsonschema: the same verdict on 20,000 pairs of a
schema and a value.

The pairs are the same in each run. Half of the schemas are made by chance from the keywords that
pydantic writes, half are pydantic's own, of models that use all of its kinds of fields. Where we
differ on purpose, `WANTED` says why.
"""

import json
from collections import Counter
from collections.abc import Mapping
from enum import Enum
from random import Random
from typing import Annotated, Any, Literal, NamedTuple

import pytest
from jsonschema import Draft202012Validator
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    TypeAdapter,
)

from scheduler.catalogue.json_schema import faults

PAIRS = 20_000
SEED = 20261129

Schema = dict[str, Any]


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Size(float, Enum):
    SMALL = 1.0
    LARGE = 2.5


class Point(NamedTuple):
    x: int
    y: float = 0.5


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = Field(9, ge=1, le=9)


class Dog(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Literal["dog", "wolf"]
    tricks: list[str] = []


class Tree(BaseModel):
    name: Annotated[str, StringConstraints(min_length=1, max_length=3)]
    below: list["Tree"] = Field([], max_length=2)
    best: "Tree | None" = None


class Shop(BaseModel):
    model_config = ConfigDict(extra="forbid")

    shelves: int = Field(ge=0, lt=12, multiple_of=3)
    ratio: float | None = Field(None, gt=-1, le=1.5, multiple_of=0.25)
    code: Annotated[str, StringConstraints(pattern="^[a-c]+$", max_length=4)] = "a"
    colour: Colour = Field(Colour.RED, description="of the door")
    size: Size | Literal[3, "huge", None] = None
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    place: Point | tuple[str, bool] | None = None
    stock: dict[Annotated[str, StringConstraints(pattern="^[ab]")], int] = {}
    prices: dict[Colour, Annotated[float, Field(gt=0)]] = Field({}, min_length=1, max_length=2)
    names: dict[Annotated[str, StringConstraints(min_length=2)], bool] = {}
    either: Annotated[int, Field(ge=10)] | list[int] | Tree | str = 10
    open: bool
    one: Literal[1] = 1


def pydantics_schemas() -> list[Schema]:
    """Schemas as pydantic writes them, each that can be reached from the models above."""
    whole = [
        Shop.model_json_schema(),
        Tree.model_json_schema(),
        TypeAdapter(list[Shop]).json_schema(),
    ]
    parts = [
        {**about, "$defs": schema.get("$defs", {})}
        for schema in whole
        for about in [*schema.get("properties", {}).values(), *schema["$defs"].values()]
    ]
    return [json.loads(json.dumps(one)) for one in whole + parts]


class Dice:
    """Schemas and values by chance. Texts are few and short, so that they meet."""

    TEXTS = ("", "a", "ab", "abc", "red", "blue", "cat", "dog", "kind", "name", "huge", "b1")
    NAMES = ("a", "ab", "b", "kind", "name", "red")
    PATTERNS = ("^[a-c]+$", "b", "^a", "[0-9]$")
    NUMBERS = (0, 1, 2, 3, 5, 6, 9, 10, 12, -1, 0.5, 1.5, 2.5, 0.75, -0.25, 0.3, 10**20)

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - chance, not a secret

    def likely(self, share: float) -> bool:
        """True this often."""
        return self.random.random() < share

    def value(self, depth: int = 0) -> Any:
        """Any value of JSON; no whole number is written with a fraction (see `WANTED`)."""
        kinds = ["null", "boolean", "number", "string"] + ["array", "object"] * (depth < 3)
        match self.random.choice(kinds):
            case "null":
                return None
            case "boolean":
                return self.likely(0.5)
            case "number":
                return self.random.choice(self.NUMBERS)
            case "string":
                return self.random.choice(self.TEXTS)
            case "array":
                return [self.value(depth + 1) for _ in range(self.random.randrange(4))]
        return {
            self.random.choice(self.NAMES): self.value(depth + 1)
            for _ in range(self.random.randrange(4))
        }

    def schema(self, depth: int = 0) -> Any:
        """A schema of some of the keywords that pydantic writes, which may be beside each other
        in any way.
        """
        if self.likely(0.04):
            return self.likely(0.5)
        made: Schema = {}
        for _ in range(self.random.choice((1, 1, 2, 3))):
            made |= self._keywords(
                self.random.choice(self._KEYWORDS if depth < 3 else self._FLAT), depth
            )
        return made

    def whole_schema(self) -> Schema:
        """A schema with the definitions to which its references lead."""
        made = self.schema()
        return {"$defs": DEFINITIONS, **(made if isinstance(made, dict) else {"allOf": [made]})}

    _FLAT = (
        "type",
        "type",
        "types",
        "enum",
        "const",
        "bounds",
        "multiple",
        "lengths",
        "pattern",
        "sizes",
        "names",
    )
    _KEYWORDS = (*_FLAT, "object", "object", "map", "list", "tuple", "any", "all", "ref", "tagged")

    def _keywords(self, kind: str, depth: int) -> Schema:
        pick, number = self.random.choice, lambda: self.random.randrange(3)
        below = depth + 1
        made: dict[str, Any] = {
            "type": lambda: {
                "type": pick(("null", "boolean", "integer", "number", "string", "array", "object"))
            },
            "types": lambda: {
                "type": self.random.sample(["null", "integer", "string", "object"], 2)
            },
            "enum": lambda: {"enum": [self.value(2) for _ in range(1 + number())]},
            "const": lambda: {"const": self.value(2)},
            "bounds": lambda: {
                pick(("minimum", "exclusiveMinimum")): pick((0, 1, 1.5)),
                pick(("maximum", "exclusiveMaximum")): pick((2, 2.5, 9)),
            },
            "multiple": lambda: {"multipleOf": pick((2, 3, 5, 0.5, 0.25))},
            "lengths": lambda: {"minLength": number(), "maxLength": 1 + number()},
            "pattern": lambda: {"pattern": pick(self.PATTERNS)},
            "sizes": lambda: {
                pick(("minItems", "minProperties")): number(),
                pick(("maxItems", "maxProperties")): 1 + number(),
            },
            "names": lambda: {
                "propertyNames": pick(
                    ({"enum": ["a", "kind"]}, {"minLength": 2}, {"pattern": "^a"}, False)
                )
            },
            "object": lambda: {
                "properties": {pick(self.NAMES): self.schema(below) for _ in range(1 + number())},
                "required": self.random.sample(self.NAMES, number()),
            },
            "map": lambda: {
                **(
                    {"patternProperties": {pick(self.PATTERNS): self.schema(below)}}
                    if self.likely(0.5)
                    else {}
                ),
                "additionalProperties": self.schema(below)
                if self.likely(0.5)
                else self.likely(0.3),
            },
            "list": lambda: {"items": self.schema(below)},
            "tuple": lambda: {"prefixItems": [self.schema(below) for _ in range(1 + number())]},
            "any": lambda: {"anyOf": [self.schema(below) for _ in range(1 + number())]},
            "all": lambda: {"allOf": [self.schema(below) for _ in range(1 + number())]},
            "ref": lambda: {"$ref": pick(("#/$defs/Text", "#/$defs/Small", "#/$defs/Tree"))},
            "tagged": lambda: {"oneOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}]},
        }[kind]()
        return made

    def fitting(self, schema: Any, whole: Mapping[str, Any], depth: int = 0) -> Any:
        """A value that fits more often than one of chance: it follows the schema, and now and
        then it does not.
        """
        if not isinstance(schema, dict) or depth > 6 or self.likely(0.08):
            return self.value(depth)
        if "$ref" in schema:
            return self.fitting(whole["$defs"][schema["$ref"].rpartition("/")[2]], whole, depth + 1)
        for several in ("anyOf", "oneOf", "allOf"):
            if several in schema:
                return self.fitting(self.random.choice(schema[several]), whole, depth + 1)
        if (
            schema.get("type") == "object"
            or "properties" in schema
            or "additionalProperties" in schema
        ):
            return self._object(schema, whole, depth)
        if schema.get("type") == "array" or "items" in schema or "prefixItems" in schema:
            return self._list(schema, whole, depth)
        return self._scalar(schema)

    def _list(self, schema: Schema, whole: Mapping[str, Any], depth: int) -> list[Any]:
        first = schema.get("prefixItems", [])
        count = len(first) if first and self.likely(0.7) else self.random.randrange(4)
        parts = [*first[:count], *[schema.get("items")] * (count - len(first))]
        return [self.fitting(part, whole, depth + 1) for part in parts]

    def _object(self, schema: Schema, whole: Mapping[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties", {})
        wanted = [name for name in [*properties, *schema.get("required", [])] if self.likely(0.8)]
        others = [self.random.choice(self.NAMES)] if self.likely(0.3) or not properties else []
        rest = schema.get(
            "additionalProperties", next(iter(schema.get("patternProperties", {}).values()), True)
        )
        return {
            name: self.fitting(properties.get(name, rest), whole, depth + 1)
            for name in [*wanted, *others]
        }

    def _scalar(self, schema: Schema) -> Any:
        if "enum" in schema or "const" in schema:
            return self.random.choice(schema.get("enum") or [schema.get("const")])
        kind = schema.get("type")
        if kind in ("integer", "number") or "minimum" in schema or "multipleOf" in schema:
            numbers = [one for one in self.NUMBERS if kind != "integer" or isinstance(one, int)]
            return self.random.choice(numbers)
        if kind == "string" or "pattern" in schema or "minLength" in schema:
            return self.random.choice(self.TEXTS)
        return {"null": None, "boolean": self.likely(0.5)}.get(str(kind), self.value(2))


DEFINITIONS: Schema = {
    "Text": {"type": "string", "maxLength": 2},
    "Small": {"$ref": "#/$defs/Number", "maximum": 5},
    "Number": {"type": "number", "minimum": 1},
    "Tree": {
        "type": "object",
        "properties": {"name": {"$ref": "#/$defs/Text"}, "a": {"$ref": "#/$defs/Tree"}},
        "required": ["name"],
    },
    "Cat": {"type": "object", "properties": {"kind": {"const": "cat"}}, "required": ["kind"]},
    "Dog": {
        "type": "object",
        "properties": {"kind": {"enum": ["dog", "wolf"]}},
        "required": ["kind"],
    },
}


def test_the_verdicts_are_those_of_jsonschema() -> None:
    dice = Dice(SEED)
    of_models = pydantics_schemas()
    verdicts: Counter[tuple[str, bool]] = Counter()
    for number in range(PAIRS):
        whose = ("chance", "pydantic")[number % 2]
        schema = dice.whole_schema() if whose == "chance" else dice.random.choice(of_models)
        value = dice.fitting(schema, schema)
        fits = Draft202012Validator(schema).is_valid(value)
        assert (faults(schema, value) == []) == fits, (number, schema, value)
        verdicts[whose, fits] += 1
    assert sum(verdicts.values()) == PAIRS
    assert min(verdicts.values()) > PAIRS // 10, verdicts


def test_the_schemas_by_chance_are_schemas() -> None:
    dice = Dice(SEED)
    for _ in range(60):
        Draft202012Validator.check_schema(dice.whole_schema())


def kind_of(value: Any) -> str:
    """The discriminator of a union: a function, so that its alternatives need not exclude each
    other.
    """
    return "left" if "left" in value else "right"


class Left(BaseModel):
    left: int = 0


class Right(BaseModel):
    right: int = 0


ByFunction = Annotated[
    Annotated[Left, Tag("left")] | Annotated[Right, Tag("right")], Discriminator(kind_of)
]


class Difference(NamedTuple):
    """Where we differ from jsonschema on purpose, and the reason."""

    type: Any
    value: Any
    taken: bool
    reason: str


WANTED = [
    Difference(set[int], [1, 1], True, "the model takes a repeated part, and keeps one"),
    Difference(ByFunction, {}, True, "fits both alternatives of oneOf; the function chooses one"),
    Difference(
        Annotated[float, Field(multiple_of=0.1)], 0.3, True, "jsonschema divides binary fractions"
    ),
    Difference(
        Annotated[str, Field(max_length=3)],
        "secret://a",
        True,
        "the worker knows what it stands for",
    ),
    Difference(int, 1.0, False, "a strict model refuses it, and a function would get a float"),
    Difference(Literal[1, "all"], 1.0, False, "the same, for a choice"),
]


@pytest.mark.parametrize("difference", WANTED, ids=lambda difference: difference.reason)
def test_each_wanted_difference_is_where_the_table_says(difference: Difference) -> None:
    schema = TypeAdapter(difference.type).json_schema()
    assert (faults(schema, difference.value) == []) is difference.taken
    assert Draft202012Validator(schema).is_valid(difference.value) is not difference.taken


@pytest.mark.parametrize(
    "difference",
    [one for one in WANTED if one.taken and one.value != "secret://a"],
    ids=lambda difference: difference.reason,
)
def test_what_is_taken_against_jsonschema_is_taken_by_the_model_too(difference: Difference) -> None:
    TypeAdapter(difference.type).validate_python(difference.value)
