"""The schedule editor's form: a field for each row of the field table, and a few more."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel, ValidationError
from werkzeug.datastructures import MultiDict
from wtforms import Form

from scheduler.catalogue.records import Job, Parameter
from scheduler.rules.model.fields import (
    MODELS,
    RULES,
    FieldType,
    ScheduleField,
    field_of,
    fields_of,
    rule_fields,
)
from scheduler.rules.model.spec import Spec
from webadmin.forms import arguments
from webadmin.forms.arguments import ParametersForm
from webadmin.forms.draft import Draft
from webadmin.forms.fields import (
    UNITS,
    AnchorField,
    ChoiceField,
    EveryField,
    MomentField,
    NeededField,
    TypedField,
    ZoneField,
    field_for,
)
from webadmin.forms.texts import EXAMPLES, texts_of

LONGEST_NUMBER = 17
"""Digits of the longest number that is read; Python refuses to read thousands of digits."""

_EXTRA = {"interval": ("unit",), "once": ("timezone",)}
"""Additional form fields by kind of rule."""

LIMITS = ("policies", "window")

_RULE_NAMES = {
    kind: {*(row.name for row in fields_of(kind)), *_EXTRA.get(kind, ())} for kind in RULES
}


class ScheduleForm(Form):
    """The editor's form: a field for each row of the field table.

    Rows without a field in the class body get one from `_add_rows`.
    """

    kind = ChoiceField(
        default="crontab",
        values=tuple(RULES),
        refusal="Choose whether it follows a crontab line, an interval, one time or a recurrence.",
    )
    timezone = ZoneField(
        default="UTC",
        max_length=100,
        row=field_of("crontab", "timezone"),
        missing="Name the time zone of the hours, such as UTC or Europe/Berlin.",
    )
    name = NeededField(
        max_length=200,
        row=field_of("", "name"),
        missing="A schedule needs a name, such as nightly-report.",
    )
    job = NeededField(max_length=255, row=field_of("", "job"), missing="Choose the job to run.")
    crontab = NeededField(
        max_length=1000,
        row=field_of("crontab", "crontab"),
        missing="Write five fields: minute, hour, day of month, month, day of week.",
    )
    unit = ChoiceField(
        default="minutes", values=tuple(UNITS), refusal="Choose seconds, minutes, hours or days."
    )
    every = EveryField(max_length=40, row=field_of("interval", "every"))
    anchor = AnchorField()
    at = MomentField(
        row=field_of("once", "at"), missing="Choose the day and the time at which it is to run."
    )
    rrule = NeededField(
        max_length=1000,
        row=field_of("rrule", "rrule"),
        missing="Write a recurrence rule, such as FREQ=MONTHLY;BYDAY=-1FR.",
    )
    dtstart = MomentField(
        row=field_of("rrule", "dtstart"),
        missing="Choose the time from which the rule counts; its hour is that of the runs.",
    )
    arguments = TypedField(default="form")
    comment = TypedField(
        "Why this change?",
        max_length=1000,
        description="Kept with the revision, for whoever asks later.",
    )
    revision = TypedField()

    def __init__(
        self, formdata: MultiDict[str, str], parameters: Sequence[Parameter] | None = None
    ) -> None:
        """Read the submitted data; without the job's `parameters`, arguments are raw JSON only."""
        super().__init__(formdata)
        fits = parameters is not None and arguments.fits(parameters)
        self.parameters = ParametersForm(parameters or (), formdata) if fits else None
        self.has_single_fields = fits and self["arguments"].text == "form"

    @classmethod
    def blank(
        cls, zone: str, parameters: Sequence[Parameter] | None = None, *, job: str = ""
    ) -> "ScheduleForm":
        """Return the form of a new schedule, filled with the examples."""
        texts = {**EXAMPLES, "timezone": zone, "job": job, "enabled": "on"}
        return cls(MultiDict(texts), parameters)

    @classmethod
    def showing(
        cls,
        spec: Spec,
        parameters: Sequence[Parameter] | None = None,
        *,
        revision: int | None = None,
        name: str | None = None,
    ) -> "ScheduleForm":
        """Return the form of a saved schedule, with single argument fields if possible.

        With another `name` the form is a copy, without the original's interval anchor.
        """
        texts = texts_of(spec)
        texts["revision"] = "" if revision is None else str(revision)
        if name is not None:
            texts |= {"name": name, "anchor": ""}
        with suppress(arguments.Unsplittable):
            given = arguments.split(parameters or (), spec.args, spec.kwargs)
            if parameters is not None:
                texts |= {
                    "arguments": "form",
                    **{arguments.PARAMETER + key: text for key, text in given.items()},
                }
        return cls(MultiDict(texts), parameters)

    @classmethod
    def sent(
        cls, formdata: MultiDict[str, str], find_job: Callable[[str], Job | None]
    ) -> "ScheduleForm":
        """Return the submitted form, with fields for the parameters of the chosen job."""
        name = formdata.get("job", "").strip()
        job = find_job(name) if name else None
        return cls(formdata, job.parameters if job is not None else None)

    if TYPE_CHECKING:

        def __getitem__(self, name: str) -> TypedField:
            """Return the field called `name`; every field is a TypedField."""

    @property
    def moments(self) -> list[MomentField]:
        """The fields that hold a time."""
        return [field for field in self if isinstance(field, MomentField)]

    @property
    def revision_number(self) -> int | None:
        """The revision behind the form; None for a text that is not a number."""
        text: str = self["revision"].text
        is_number = text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER
        return int(text) if is_number else None

    def read(self) -> Draft:
        """Return the form's content as a draft, with every error."""
        kind = self["kind"].data
        self._leave_out_what_is_not_used(kind or "")
        every = cast("EveryField", self["every"])
        every.data = every.seconds(self["unit"].data)
        clock = "UTC" if kind == "interval" else self["timezone"].data
        for moment in self.moments:
            moment.read_on(clock)
        self.validate()
        policies, window = (
            _limits(MODELS[part], [self[row.name] for row in fields_of(part)]) for part in LIMITS
        )
        rows = [row for row in fields_of("") if row.type not in (FieldType.PARTS, FieldType.JSON)]
        values = {row.name: _plain(row, self[row.name].data) for row in rows}
        args, kwargs = self["args"].data, self["kwargs"].data
        errors = {field.short_name: field.errors[0] for field in self if field.errors}
        if self.parameters is not None and self.has_single_fields:
            args, kwargs = [], self.parameters.kwargs
            errors |= self.parameters.faults
        if "anchor" in errors:
            errors = {"every": errors.pop("anchor")} | errors  # the anchor is a hidden field
        draft = Draft(
            kind=self["kind"].text,
            name=values["name"] or "",
            job=values["job"] or "",
            comment=self["comment"].data or "",
            values=values,
            errors=errors,
            when=_rule([self[row.name] for row in fields_of(kind)], kind, errors) if kind else None,
            policies=policies,
            window=window,
            args=args,
            kwargs=kwargs,
        )
        return draft if errors else _with_spec(draft)

    def _leave_out_what_is_not_used(self, kind: str) -> None:
        """Clear the errors of unused fields, except for too long texts.

        Unused are the fields of other kinds of rule, and raw JSON beside single argument fields.
        """
        unused = set().union(*_RULE_NAMES.values()) - _RULE_NAMES.get(kind, set())
        if self.has_single_fields:
            unused |= {row.name for row in fields_of("") if row.type is FieldType.JSON}
        for name in unused:
            self[name].is_used = False
            if not self[name].is_too_long:
                self[name].process_errors = []


def _rule(parts: Sequence[TypedField], kind: str, errors: Mapping[str, str]) -> Any:
    """Return the rule of the fields; None if any field of the rule has an error."""
    if _RULE_NAMES[kind] & set(errors):
        return None
    return RULES[kind].model_validate(
        {part.short_name: part.data for part in parts if part.data is not None}
    )


def _limits(model: type[BaseModel], parts: Sequence[TypedField]) -> Any:
    """Return policies or window; None for an unreadable field. Empty fields are defaults."""
    if any(part.errors for part in parts):
        return None
    try:
        return model.model_validate(
            {part.short_name: part.data for part in parts if part.data not in (None, "")}
        )
    except ValidationError as error:
        faults = {
            str(fault["loc"][0]): f"{fault['msg']}." for fault in error.errors(include_url=False)
        }
    for part in parts:
        part.errors = [faults[part.short_name]] if part.short_name in faults else []
    return None


def _plain(row: ScheduleField, value: Any) -> Any:
    """Return the stored value of a field: None for the empty text of an optional field."""
    return None if row.is_optional and value == "" else value


def _add_rows() -> None:
    """Add a field to the form for each row of the field table without one."""
    for row in (*rule_fields(), *fields_of("", "policies", "window")):
        if row.type is not FieldType.PARTS and not hasattr(ScheduleForm, row.name):
            setattr(ScheduleForm, row.name, field_for(row))


_add_rows()


def _with_spec(draft: Draft) -> Draft:
    """Return the draft with its Spec, or with the model's validation errors by field."""
    values = {name: value for name, value in draft.values.items() if value is not None}
    parts = {"when": draft.when, "policies": draft.policies, "window": draft.window}
    try:
        spec = Spec(**values, **parts, args=draft.args, kwargs=draft.kwargs)
    except ValidationError as error:
        return replace(
            draft, errors={str(fault["loc"][0]): fault["msg"] for fault in error.errors()}
        )
    return replace(draft, spec=spec)
