"""Fields of the schedule editor, with the typed text and the value of each.

`text` holds every typed character, `data` the value. `data` is None for an empty or unreadable
field; the reason is then among the field's errors. A field is read once, when the form receives the
submitted data.
"""

from collections.abc import Sequence
from datetime import datetime
from math import isfinite
from typing import Any

from wtforms import Field
from wtforms.widgets import TextArea, TextInput

from scheduler.errors import UnknownZone
from scheduler.rules.model.fields import FieldType, ScheduleField
from scheduler.rules.time import zones
from scheduler.rules.time.typed import BadTime, read_instant
from webadmin.forms import json_text, times
from webadmin.forms.faults import Fault
from webadmin.forms.sentences import sentence

WIDE = 1000
"""Length limit, in characters, from which a text field has a line of its own."""

UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}


class TypedField(Field):
    """A text of limited length. `read` of a subclass raises ValueError with the remedy."""

    widget = TextInput()
    css_class = ""

    def __init__(
        self,
        label: str | None = None,
        *,
        max_length: int = 60,
        row: ScheduleField | None = None,
        **options: Any,
    ) -> None:
        name = options.get("_prefix", "") + options.get("name", "")
        if row is not None:
            label = label or row.about.label
            options.setdefault("description", row.about.hint)
            options.setdefault("widget", TextArea() if row.about.is_long else self.widget)
        super().__init__(label, id=f"f-{name}", **options)
        self.max_length = max_length
        self.row = row
        self.text = ""
        self.is_too_long = False
        self.is_used = True
        """Whether the chosen kind of rule needs the field. An unused field keeps its text."""

    @property
    def is_wide(self) -> bool:
        """Whether the field holds long texts and needs a line of its own."""
        return self.row is not None and self.row.type is FieldType.TEXT and self.max_length >= WIDE

    def process_data(self, value: str | None) -> None:
        """Show the default text; no value is read."""
        self.text = value or ""
        self.data = None

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Keep the submitted text and read the value; a field that was not submitted is unchanged.

        Raises ValueError for a text longer than `max_length`.
        """
        if valuelist:
            self.text = valuelist[0].replace("\r\n", "\n")
        if len(self.text) > self.max_length:
            self.is_too_long = True
            raise ValueError(
                f"This is {len(self.text):,} characters long; at most {self.max_length:,} fit."
            )
        self.data = self.read(self.text.strip())

    def read(self, text: str) -> Any:
        """Return the value of the text; None for an empty optional field. Raises ValueError."""
        return text

    def _value(self) -> str:
        return self.text

    def described(self, error: str | None, hint: str) -> dict[str, Any]:
        """Return the input's HTML attributes: maximum length, and references to error and hint."""
        places = [f"e-{self.name}" if error else "", f"h-{self.name}" if hint else ""]
        invalid = {"aria-invalid": "true"} if error else {}
        return {
            "class": f"form-control {self.css_class}".strip(),
            "maxlength": self.max_length,
            "autocomplete": "off",
            "aria-describedby": " ".join(filter(None, places)) or False,
            **invalid,
        }


class NeededField(TypedField):
    """A required text."""

    def __init__(self, label: str | None = None, *, missing: str, **options: Any) -> None:
        super().__init__(label, **options)
        self.missing = missing

    def read(self, text: str) -> str:
        """Return the text. Raises ValueError with the message `missing` for an empty text."""
        if not text:
            raise ValueError(self.missing)
        return text


class ZoneField(NeededField):
    """The name of a time zone."""

    def read(self, text: str) -> str:
        """Return the name. Raises ValueError for an unknown zone."""
        try:
            zones.zone(super().read(text))
        except UnknownZone as error:
            raise ValueError(sentence(str(error))) from None
        return text


class ChoiceField(TypedField):
    """A choice among fixed values."""

    def __init__(
        self, label: str | None = None, *, values: Sequence[str], refusal: str, **options: Any
    ) -> None:
        super().__init__(label, **options)
        self.values = values
        self.refusal = refusal

    def read(self, text: str) -> str:
        """Return the value. Raises ValueError unless `values` contains the text."""
        if text not in self.values:
            raise ValueError(self.refusal)
        return text


class SwitchField(TypedField):
    """A tick box; a box that was not submitted is off."""

    def process_data(self, value: Any) -> None:
        """Set the box on or off."""
        self.text = "on" if value else ""
        self.data = bool(value)

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Set the box on if the field was submitted."""
        self.text = valuelist[0] if valuelist else ""
        self.data = bool(valuelist)


class WholeNumberField(TypedField):
    """A whole number, or None.

    The model checks the limits, except for an optional field with both limits.
    """

    css_class = "num"

    def read(self, text: str) -> int | None:
        """Return the number; None for an empty field. Raises ValueError with the remedy."""
        if not text:
            return None
        is_number = text.isascii() and text.isdigit() and len(text) < 10
        row = self.row
        if row is not None and row.is_optional and row.least is not None and row.most is not None:
            if not (is_number and row.least <= int(text) <= row.most):
                raise ValueError(
                    f"{text!r} is not a valid {row.about.label.lower()}. Choose one from "
                    f"{row.least:g} to {row.most:g}, or leave it empty."
                )
        elif not is_number:
            raise ValueError(f"{text[:40]!r} is not a whole number.")
        return int(text)


class LengthOfTimeField(TypedField):
    """A length of time in seconds, or None."""

    css_class = "num"

    def read(self, text: str) -> float | None:
        """Return the seconds; None for an empty field. Raises ValueError with the remedy."""
        try:
            return times.read_seconds(text, self.short_name) if text else None
        except Fault as fault:
            raise ValueError(str(fault)) from None


class EveryField(TypedField):
    """A number above 0 in the unit of the neighbouring field `unit`; the value is in seconds."""

    def read(self, text: str) -> float:
        """Return the number, in the unit of the field `unit`. Raises ValueError with the remedy."""
        try:
            number = float(text)
        except ValueError:
            raise ValueError(f"{text!r} is not a number. Write one such as 5 or 0.5.") from None
        if not isfinite(number) or number <= 0:
            raise ValueError(f"{text} is not a length of time. Write a number above 0.")
        return number

    def seconds(self, unit: str | None) -> float | None:
        """Return the number in seconds; None if the number or the unit cannot be read."""
        return None if self.data is None or unit is None else float(self.data * UNITS[unit])


class AnchorField(TypedField):
    """The instant from which an interval counts: a hidden field of the page."""

    def read(self, text: str) -> datetime | None:
        """Return the instant in UTC; None (empty) stands for the moment of saving.

        Raises ValueError for an unreadable instant, or for an instant without an offset.
        """
        if not text:
            return None
        try:
            return read_instant(text, self.short_name, years=None)
        except BadTime:
            raise ValueError(
                "The interval's anchor came back damaged. Reload the page and edit again."
            ) from None


class MomentField(TypedField):
    """A wall time in the form's zone, or a time with an offset; the value is in UTC."""

    css_class = "num"

    def __init__(self, label: str | None = None, *, missing: str = "", **options: Any) -> None:
        super().__init__(label, **options)
        self.missing = missing

    def read(self, text: str) -> None:
        """Raise ValueError for a missing required time; `read_on` reads the value later."""
        if not text and self.missing:
            raise ValueError(self.missing)

    def described(self, error: str | None, hint: str) -> dict[str, Any]:
        """Return the HTML attributes: a date and time input, or text for a time with an offset."""
        is_wall = len(self.text) in (0, 16, 19)
        return super().described(error, hint) | {
            "type": "datetime-local" if is_wall else "text",
            "step": 1,
        }

    def read_on(self, clock: str | None) -> None:
        """Read the time in the zone `clock`; None stands for a zone with an error of its own."""
        if not self.is_used or not self.text.strip() or self.is_too_long or clock is None:
            return
        try:
            self.data = times.read_moment(self.text, self.short_name, clock)
        except Fault as fault:
            self.process_errors = [*self.process_errors, str(fault)]


class TagsField(TypedField):
    """Comma-separated texts, without duplicates, in their order."""

    def read(self, text: str) -> list[str]:
        """Return the list of texts."""
        return tags(text)


class JsonField(TypedField):
    """A JSON value of one shape (list or dict); an empty field is an empty value."""

    def __init__(
        self, label: str | None = None, *, shape: type, wanted: str, **options: Any
    ) -> None:
        super().__init__(label, **options)
        self.shape = shape
        self.wanted = wanted

    def read(self, text: str) -> Any:
        """Return the JSON value. Raises ValueError for another shape or for invalid JSON."""
        value = json_text.parse(self.text) if self.text else self.shape()
        if not isinstance(value, self.shape):
            raise ValueError(f"This must be {self.wanted}; it is {json_text.kind(value)}.")
        return value


def placeholder_of(row: ScheduleField) -> str:
    """Return the placeholder of an empty field: the default, or the words for no limit."""
    if row.about.empty:
        return row.about.empty
    if row.type is FieldType.LENGTH_OF_TIME:
        return times.shown_seconds(row.default) or "0"
    return "" if row.default is None else str(row.default)


def tags(text: str) -> list[str]:
    """Return the tags of a comma-separated line, without duplicates, in their order."""
    return list(dict.fromkeys(tag for part in text.split(",") if (tag := part.strip())))


_CLASSES: dict[FieldType, type[TypedField]] = {
    FieldType.TEXT: TypedField,
    FieldType.SWITCH: SwitchField,
    FieldType.WHOLE_NUMBER: WholeNumberField,
    FieldType.LENGTH_OF_TIME: LengthOfTimeField,
    FieldType.MOMENT: MomentField,
    FieldType.TEXTS: TagsField,
}


def field_for(row: ScheduleField) -> Any:
    """Return the form's field for a row of the field table."""
    common: dict[str, Any] = {"max_length": row.about.max_length, "row": row}
    if row.type is FieldType.CHOICE:
        titles = ", ".join(choice.title for choice in row.about.choices)
        words = titles if row.part in ("policies", "window") else ", ".join(row.values)
        return ChoiceField(
            **common, values=row.values, default=row.default, refusal=f"Choose one of {words}."
        )
    if row.type is FieldType.JSON and isinstance(row.default, list):
        return JsonField(
            **common, default="[]", shape=list, wanted="a list in brackets, such as [1, 2]"
        )
    if row.type is FieldType.JSON:
        wanted = 'names and values in braces, such as {"days": 1}'
        return JsonField(**common, default="{}", shape=dict, wanted=wanted)
    return _CLASSES[row.type](**common, default=row.default if row.type is FieldType.SWITCH else "")
