"""A draft read as a Spec: every fault that shows without asking anybody, each at its field, all at
once.

Whether the expression fires, whether the job exists and whether the arguments fit it is not decided
here but by `rules.check` and the catalogue, when the draft is reviewed or saved.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from pydantic import JsonValue, ValidationError

from scheduler.catalogue.catalogue import Parameter
from scheduler.rules.model.spec import Policies, Spec, Window
from webadmin.forms import arguments, json_text, policies
from webadmin.forms.draft import Draft, tags
from webadmin.forms.faults import Fault
from webadmin.forms.whens import EditableWhen, read_when

LONGEST = {
    "name": 200,
    "crontab": 1000,
    "timezone": 100,
    "every": 40,
    "at": 60,
    "rrule": 1000,
    "dtstart": 60,
    **dict.fromkeys([*Policies.model_fields, *Window.model_fields], 60),
    "calendar": 100,
    "job": 255,
    "queue": 255,
    "owner": 200,
    "tags": 1000,
    "description": 500,
    "notes": 20_000,
    "comment": 1000,
    "args": 100_000,
    "kwargs": 100_000,
}
"""Characters that a field may hold, so that no page and no entry grows beyond use."""

Errors = dict[str, str]

T = TypeVar("T")


@dataclass(frozen=True)
class Reading:
    """The schedule that was meant, or what is wrong with it by field."""

    spec: Spec | None
    errors: Errors
    when: EditableWhen | None = None
    args: list[JsonValue] | None = None
    kwargs: dict[str, JsonValue] | None = None
    policies: Policies | None = None
    window: Window | None = None


def read(draft: Draft, parameters: Sequence[Parameter] | None = None) -> Reading:
    """Read the whole draft. `parameters` are those of its job; without them only raw JSON can be
    read.
    """
    errors = lengths(draft)
    when = _kept(errors, read_when, draft)
    priority = _kept(errors, read_priority, draft)
    kept = _kept(errors, policies.read, draft)
    window = _kept(errors, policies.read_window, draft)
    args, kwargs = read_arguments(draft, parameters, errors)
    found = partial(Reading, when=when, args=args, kwargs=kwargs, policies=kept, window=window)
    if not draft.name.strip():
        errors.setdefault("name", "A schedule needs a name, such as nightly-report.")
    if not draft.job.strip():
        errors.setdefault("job", "Choose the job that is to run.")
    if errors or when is None or args is None or kwargs is None or kept is None or window is None:
        return found(None, errors)
    try:
        spec = Spec(
            name=draft.name.strip(),
            enabled=draft.enabled,
            job=draft.job.strip(),
            when=when,
            args=args,
            kwargs=kwargs,
            queue=draft.queue.strip() or None,
            priority=priority,
            policies=kept,
            window=window,
            owner=draft.owner.strip(),
            tags=tags(draft.tags),
            description=draft.description.strip(),
            notes=draft.notes.strip(),
        )
    except ValidationError as error:
        return found(None, {str(fault["loc"][0]): fault["msg"] for fault in error.errors()})
    return found(spec, {})


def lengths(draft: Draft) -> Errors:
    """The fields that are too long."""
    return {
        name: f"This is {len(text):,} characters long; at most {limit:,} fit."
        for name, limit in LONGEST.items()
        if len(text := getattr(draft, name)) > limit
    }


def read_priority(draft: Draft) -> int | None:
    """The message's priority; none when the field is empty."""
    text = draft.priority.strip()
    if not text:
        return None
    if len(text) == 1 and text in "0123456789":
        return int(text)
    raise Fault("priority", f"{text!r} is no priority. Choose one from 0 to 9, or leave it empty.")


def read_arguments(
    draft: Draft, parameters: Sequence[Parameter] | None, errors: Errors
) -> tuple[list[JsonValue] | None, dict[str, JsonValue] | None]:
    """Positional and named arguments, from the parameters' fields or from raw JSON; none where they
    cannot be read.
    """
    if draft.arguments == "form" and parameters is not None and arguments.fits(parameters):
        kwargs, faults = arguments.join(parameters, draft.given)
        errors.update(faults)
        return [], None if faults else kwargs
    return (
        _json(errors, "args", draft.args or "[]", list, "a list in brackets, such as [1, 2]"),
        _json(
            errors,
            "kwargs",
            draft.kwargs or "{}",
            dict,
            'names and values in braces, such as {"days": 1}',
        ),
    )


def _kept(errors: Errors, reader: Callable[[Draft], T], draft: Draft) -> T | None:
    try:
        return reader(draft)
    except Fault as fault:
        errors.setdefault(fault.field, str(fault))
        return None


def _json(errors: Errors, field: str, text: str, shape: type[T], meant: str) -> T | None:
    try:
        value = json_text.parse(text)
    except json_text.BadJson as error:
        errors.setdefault(field, str(error))
        return None
    if not isinstance(value, shape):
        errors.setdefault(field, f"This must be {meant}; it is {json_text.kind(value)}.")
        return None
    return value
