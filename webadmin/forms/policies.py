"""Policies and window: the editor's fields read as what they mean, and what they mean as fields.

Each policy has its words here, so that the page says what it does. An empty field stands for the
default.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from scheduler.rules.model.spec import Policies, Window
from webadmin.forms import times
from webadmin.forms.draft import Draft
from webadmin.forms.faults import Fault
from webadmin.forms.whens import clock_of

Kind = TypeVar("Kind", Policies, Window)


class Choice(NamedTuple):
    """One answer to a question, and what it means."""

    value: str
    title: str
    words: str


OVERLAP = (
    Choice("skip", "Skip", "The tick is skipped, and the history says why."),
    Choice("allow", "Allow", "It starts regardless; several runs may go on at once."),
    Choice(
        "queue_one",
        "Queue one",
        "One tick is kept and starts when the run ends; further ones are skipped.",
    ),
    Choice(
        "queue_all",
        "Queue all",
        "Every tick is kept, in order, up to the limit; beyond it they are skipped.",
    ),
    Choice(
        "cancel_previous",
        "Cancel previous",
        "The running one is asked to stop; the new one starts when it has.",
    ),
)
CATCH_UP = (
    Choice(
        "latest", "Latest", "The newest tick that passed runs once, late; the others are missed."
    ),
    Choice("none", "None", "What passed is missed; the next tick is the next one to come."),
    Choice("all", "All", "Every tick that passed runs, oldest first, one after the other."),
)
_CHOICES = {"overlap": OVERLAP, "catch_up": CATCH_UP}
_LENGTHS = ("catch_up_window", "starting_deadline", "run_timeout", "retry_backoff", "jitter")
_NUMBERS = ("queue_limit", "retries", "pause_after_failures", "max_runs")
_MOMENTS = ("starts_at", "ends_at")


def read(draft: Draft) -> Policies:
    """The policies. Raises Fault."""
    return _checked(Policies, _values(draft, Policies.model_fields))


def read_window(draft: Draft) -> Window:
    """Which ticks count. Raises Fault."""
    return _checked(Window, _values(draft, Window.model_fields))


def texts(policies: Policies, window: Window, zone: str) -> dict[str, str]:
    """The fields that show what is saved; a default is an empty field."""
    shown: dict[str, str] = {}
    for part, default in ((policies, Policies()), (window, Window())):
        for name in type(part).model_fields:
            value = getattr(part, name)
            if name in _CHOICES:
                shown[name] = value
            elif value == getattr(default, name):
                shown[name] = ""
            elif name in _LENGTHS:
                shown[name] = times.shown_seconds(value)
            elif name in _NUMBERS:
                shown[name] = str(value)
            elif name in _MOMENTS:
                shown[name] = times.shown_moment(value, zone)
            else:
                shown[name] = str(value)
    return shown


def _values(draft: Draft, names: Mapping[str, Any]) -> dict[str, Any]:
    """What is typed."""
    return {
        name: _value(draft, name, text) for name in names if (text := getattr(draft, name).strip())
    }


def _value(draft: Draft, name: str, text: str) -> Any:
    if name in _CHOICES:
        if text not in {choice.value for choice in _CHOICES[name]}:
            raise Fault(
                name, f"Choose one of {', '.join(choice.title for choice in _CHOICES[name])}."
            )
        return text
    if name in _LENGTHS:
        return times.read_seconds(text, name)
    if name in _MOMENTS:
        return times.read_moment(text, name, clock_of(draft))
    if name == "calendar":
        return text
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Fault(name, f"{text[:40]!r} is no whole number.")
    return int(text)


def _checked(kind: type[Kind], values: dict[str, Any]) -> Kind:
    try:
        return kind(**values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise Fault(str(first["loc"][0]), f"{first['msg']}.") from None
