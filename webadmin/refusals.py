"""What the engine refuses, as a message on the page that asked for it, or at a field of its form.

A view states its case and nothing else: `shows_refusals` answers for everything that the engine can
refuse there. What no view expects becomes a page of its own in `webadmin.errors`: a thing that is
not there, a server that is away.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from scheduler.errors import BeatdeskError, Refused, StaleRevision, Unavailable, UnreadableEntry
from scheduler.history import outage
from scheduler.storage.availability import server_of
from webadmin.forms.json_text import BadJson
from webadmin.forms.sentences import sentence

REFUSALS = (Refused, StaleRevision, UnreadableEntry, BadJson)
"""Errors that whoever sent the form can mend."""

View = Callable[..., ResponseReturnValue]
P = ParamSpec("P")
T = TypeVar("T")


def shows_refusals(
    lead: str,
    *,
    to: str | View,
    again: str | View | None = None,
    form: Callable[..., ResponseReturnValue | None] | None = None,
    also: tuple[type[BeatdeskError], ...] = (),
    category: str = "danger",
) -> Callable[[View], View]:
    """Answer a refusal of a POST with a message, or with its form.

    `lead` says what did not happen, such as "{name} was not deleted"; it, and the addresses below,
    are filled in with the view's arguments. `to` is an endpoint, or a function that makes the
    answer: where the message is shown. `again` is the same for an edit on a stale revision, where
    whoever sent it has to look again. `form` is called with the view, the error and the view's
    arguments; where it returns a page, that is the answer. `also` are errors that are refusals in
    this view only.
    """

    refusals: tuple[type[Exception], ...] = (*REFUSALS, *also)

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(self: Any, **arguments: Any) -> ResponseReturnValue:
            try:
                return view(self, **arguments)
            except refusals as error:
                if request.method != "POST":
                    raise
                page = None if form is None else form(self, error, **arguments)
                return page if page is not None else _flashed(error, **arguments)

        def _flashed(error: Exception, **arguments: Any) -> ResponseReturnValue:
            what = lead.format(**arguments)
            if isinstance(error, StaleRevision):
                flash(f"{what}: {reason(error)} See it as it is now, and decide again.", "warning")
                return _leave(again or to, arguments)
            flash(f"{what}. {reason(error)}" if what else reason(error), category)
            return _leave(to, arguments)

        return answer

    return decorate


def reason(error: Exception) -> str:
    """Why, as a sentence for whoever sent the form."""
    if isinstance(error, StaleRevision):
        return f"it has been changed to revision {error.current} since you looked."
    return sentence(str(error))


def at_field(error: Exception, fields: Mapping[str, str], otherwise: str) -> dict[str, str]:
    """The reason under the name of the form's field; `fields` maps the engine's names to the
    form's.

    Where the error names no field of the form, it is shown at `otherwise`.
    """
    field = getattr(error, "field", None)
    return {fields.get(field or "", otherwise): sentence(str(error))}


def is_outage(error: BaseException) -> bool:
    """Whether a server that is needed cannot serve, as against a fault of ours."""
    return (
        isinstance(error, Unavailable)
        or server_of(error) is not None
        or outage.reason(error) is not None
    )


def while_away(instead: Any) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Return `instead`, which nobody may change, while a server is away."""

    def decorate(read: Callable[P, T]) -> Callable[P, T]:
        @wraps(read)
        def answer(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return read(*args, **kwargs)
            except Exception as error:
                if not is_outage(error):
                    raise
                return cast("T", instead)

        return answer

    return decorate


def _leave(to: str | View, arguments: dict[str, Any]) -> ResponseReturnValue:
    return redirect(url_for(to, **arguments), 303) if isinstance(to, str) else to(**arguments)
