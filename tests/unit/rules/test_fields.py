"""The table of schedule fields: every field of the model is in it, and every reader follows it."""

from pathlib import Path
from typing import Annotated, Any, Literal

import click
import pytest
from pydantic import Field
from werkzeug.datastructures import MultiDict
from wtforms import Form

from scheduler.cli.schedules import definition, options, policies
from scheduler.rules.model import fields
from scheduler.rules.model.about import SECONDS, About, Choice
from scheduler.rules.model.difference import differences
from scheduler.rules.model.fields import MODELS, TABLE, FieldType, ScheduleField, rows_of
from scheduler.rules.model.spec import Policies, Spec, Window
from scheduler.sets import yaml_set
from scheduler.sets.yaml_set import ScheduleSet
from tests.docs import schedule_fields
from tests.support.builders import a_schedule, a_spec
from webadmin.forms.fields import field_for
from webadmin.forms.schedule import ScheduleForm
from webadmin.forms.texts import texts_of
from webadmin.forms.versions import limits

NOT_SET_BY_ANYBODY = {"kind", "resolved"}
"""Fields of rules that follow from the others."""

WITHOUT_OPTION = {"name", "job", "enabled", "when", "policies", "window"}
"""`add` and `edit` have an argument or a switch for these, or options for their parts."""


class Extended(Policies):
    """The policies of a later version, with one field more."""

    cool_down: Annotated[
        int,
        Field(ge=0, le=60),
        About(label="Cool-down", hint="Minutes of rest.", option="Minutes of rest after a run."),
    ] = 5


class LaterSpec(Spec):
    """A schedule with these policies."""

    policies: Extended = Extended()


def new_row() -> ScheduleField:
    return next(row for row in rows_of(Extended, "policies") if row.name == "cool_down")


def test_every_field_of_the_model_is_a_row() -> None:
    declared = {
        (part, name)
        for part, model in MODELS.items()
        for name in model.model_fields
        if name not in NOT_SET_BY_ANYBODY
    }
    assert {(row.part, row.name) for row in TABLE} == declared


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.part}.{row.name}")
def test_every_row_has_its_place_in_each_reader(row: ScheduleField) -> None:
    if row.type is not FieldType.PARTS:
        assert row.name in ScheduleForm(MultiDict()), "the form"
        assert f"`{row.path}`" in schedule_fields.fields(row.part), "the reference"
    if row.name not in WITHOUT_OPTION:
        command = click.command()(lambda **given: None)
        for give in (definition.when_options, definition.what_options, definition.policy_options):
            command = give(command)
        assert row.flag in {flag for option in command.params for flag in option.opts}, (
            "the command"
        )
    assert fields.place_of(row.name) in (row.path, row.name), "the places of refusals"
    assert row.about.label


def test_the_limits_of_a_row_are_those_of_the_model() -> None:
    words = {row.name: row.limits for row in TABLE if row.limits}
    assert words == {
        "priority": "0 to 9",
        "queue_limit": "1 to 10000",
        "catch_up_window": "at least 0 seconds",
        "starting_deadline": "more than 0 seconds",
        "run_timeout": "more than 0 seconds",
        "retries": "0 to 100",
        "retry_backoff": "more than 0 seconds",
        "pause_after_failures": "at least 1",
        "jitter": "at least 0 seconds",
        "max_runs": "at least 1",
    }


def test_a_new_field_is_one_row_for_the_command() -> None:
    row = new_row()
    seen: dict[str, Any] = {}
    command = click.command()(lambda **given: seen.update(given))
    options.with_options(command, [row])
    command.main(["--cool-down", "7"], standalone_mode=False)
    assert options.values_of([row], seen) == {"cool_down": 7}
    (option,) = command.params
    assert isinstance(option, click.Option)
    assert option.help == "Minutes of rest after a run."


@pytest.mark.parametrize(
    ("text", "value", "errors"),
    [("7", 7, []), ("", None, []), ("x", None, ["'x' is not a whole number."])],
)
def test_a_new_field_is_one_row_for_the_form(
    text: str, value: int | None, errors: list[str]
) -> None:
    form_class = type("Extended", (Form,), {"cool_down": field_for(new_row())})
    form = form_class(MultiDict({"cool_down": text}))
    form.validate()
    field = form["cool_down"]
    assert (field.data, list(field.errors), field.text) == (value, errors, text)
    assert (field.label.text, field.description) == ("Cool-down", "Minutes of rest.")
    assert 'name="cool_down"' in str(field)


def test_a_new_field_is_one_row_for_sets_comparison_page_and_reference() -> None:
    spec = LaterSpec(**dict(a_spec()) | {"policies": Extended(cool_down=9)})
    assert "cool_down: 9" in yaml_set.write(ScheduleSet([spec]))
    assert limits(spec) == [("Policies", "cool down 9")]
    assert "`policies.cool_down`" in schedule_fields.fields("policies", [*TABLE, new_row()])
    before, after = ({"policies": {"cool_down": minutes}} for minutes in (5, 9))
    (found,) = differences(before, after)
    assert (found.field, found.before, found.after) == ("policies.cool_down", 5, 9)


def test_words_for_a_value_that_there_is_not_are_refused() -> None:
    class Wrong(Policies):
        mode: Annotated[Literal["a"], About(label="Mode", choices=(Choice("b", "B"),))] = "a"

    with pytest.raises(TypeError, match="'Mode' has words for values that it cannot have"):
        rows_of(Wrong, "policies")


def test_a_type_that_no_reader_knows_is_refused() -> None:
    class Wrong(Window):
        ratio: Annotated[float, About(label="Ratio")] = 0.5

    with pytest.raises(TypeError, match="no reader knows fields of the type"):
        rows_of(Wrong, "window")


def test_values_without_words_have_their_names() -> None:
    class Plain(Policies):
        mode: Annotated[Literal["very_slow"], About(label="Mode")] = "very_slow"

    row = next(row for row in rows_of(Plain, "policies") if row.name == "mode")
    assert row.about.choices == (Choice("very_slow", "Very slow"),)


def test_a_saved_schedule_has_a_text_for_each_field_of_the_form() -> None:
    rows = {row.name for row in TABLE if row.part in ("", "crontab", "policies", "window")}
    assert rows - {"when", "policies", "window"} <= set(texts_of(a_schedule().spec()))
    assert tuple(row.name for row in TABLE if row.part in ("policies", "window")) == policies.NAMES


def test_the_reference_in_the_documents_is_that_of_the_table() -> None:
    stored = Path("docs/reference/schedule-fields.md").read_text(encoding="utf-8")
    for name, reference in schedule_fields.tables().items():
        assert f"<!-- table: {name} -->\n\n{reference()}\n<!-- end -->" in stored, "run `make docs`"


def test_the_unit_of_a_length_of_time_is_seconds() -> None:
    assert {row.about.unit for row in TABLE if row.type is FieldType.LENGTH_OF_TIME} == {SECONDS}
    assert set(Spec.model_fields) >= {row.name for row in TABLE if not row.part}
