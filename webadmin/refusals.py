"""The engine's refusals as messages: on a page, or at a field of the form.

A view holds only the successful case; `shows_refusals` handles every refusal by the engine. Other
errors become pages of their own in `webadmin.errors`: a missing record, an outage.
"""

import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from scheduler.errors import BeatdeskError, Refused, StaleRevision, Unavailable, UnreadableEntry
from scheduler.history import outage
from scheduler.storage.availability import server_of
from webadmin.access import by_tag
from webadmin.forms.json_text import BadJson
from webadmin.forms.sentences import sentence

REFUSALS = (Refused, StaleRevision, UnreadableEntry, BadJson)
"""Errors that the sender of the form can correct."""

_DETAILS = re.compile(r" \(.*\)", re.DOTALL)

View = Callable[..., ResponseReturnValue]
P = ParamSpec("P")
T = TypeVar("T")


def shows_refusals(
    lead: str,
    *,
    to: str | View,
    again: str | View | None = None,
    page: Callable[..., ResponseReturnValue | None] | None = None,
    also: tuple[type[BeatdeskError], ...] = (),
    category: str = "danger",
) -> Callable[[View], View]:
    """Decorate a view: a refused POST shows a message, or a page with the form again.

    `lead` names the failed action, such as "{name} was not deleted". `lead` and addresses are
    filled in with the view's arguments. `to` is an endpoint, or a function that returns the
    response with the message. `again` takes the place of `to` after an edit of a stale revision.
    `page` is called with the view, the error and the view's arguments, and returns the response,
    or None for the message. `also` are additional errors to handle as refusals.
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
                response = None if page is None else page(self, error, **arguments)
                return response if response is not None else _flashed(error, **arguments)

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
    """Return the reason as a sentence for the sender of the form."""
    if isinstance(error, StaleRevision):
        return f"it has been changed to revision {error.current} since you looked."
    return sentence(outage_words(error) if isinstance(error, Unavailable) else str(error))


def outage_words(error: Unavailable) -> str:
    """Return the outage's message; the server's own words have its address, for administrators."""
    text = str(error)
    return text if by_tag.current_rights().covers("admin") else _DETAILS.sub("", text)


def at_field(error: Exception, fields: Mapping[str, str], otherwise: str) -> dict[str, str]:
    """Return the error message by form field; `fields` maps the engine's field names to the form's.

    An error without a field of the form is shown at `otherwise`.
    """
    field = getattr(error, "field", None)
    return {fields.get(field or "", otherwise): sentence(str(error))}


def is_outage(error: BaseException) -> bool:
    """Whether the error is an outage of a server, as opposed to a fault of Beatdesk."""
    return (
        isinstance(error, Unavailable)
        or server_of(error) is not None
        or outage.reason(error) is not None
    )


def while_away(instead: Any) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorate a function: return the immutable `instead` during an outage."""

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
