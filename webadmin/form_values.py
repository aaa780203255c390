"""Values of the current form or address: the readers that many views share."""

from flask import request

from scheduler.errors import Refused

LONGEST_COMMENT = 1000
_DIGITS = 17

LARGEST_REVISION = 2**31 - 1
"""The largest number of a revision: an integer column of PostgreSQL."""


def comment() -> str:
    """Return the comment of the form: the visitor's reason, at most LONGEST_COMMENT characters."""
    return request.form.get("comment", "").strip()[:LONGEST_COMMENT]


def number(field: str) -> int | None:
    """Return the whole number in a form field; None if the field holds anything else."""
    return whole_number(request.form.get(field, ""))


def revision_shown(field: str = "revision") -> int:
    """Return the revision that the visitor has looked at, from the form. Raises Refused.

    Without it, an action would fall on whatever somebody else has saved meanwhile.
    """
    revision = number(field)
    if revision is None:
        raise Refused(
            f"{field}: {request.form.get(field, '')[:40]!r} is not the revision that you looked "
            "at; load the page again and repeat it",
            field="revision",
        )
    return revision


def whole_number(text: str) -> int | None:
    """Return the whole number written in ASCII digits; None for any other text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None
