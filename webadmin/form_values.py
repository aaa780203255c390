"""What a form or an address has sent, as values: the parts that many views read alike."""

from flask import request

LONGEST_COMMENT = 1000
_DIGITS = 17


def comment() -> str:
    """Why, in the words of whoever did it."""
    return request.form.get("comment", "").strip()[:LONGEST_COMMENT]


def number(field: str) -> int | None:
    """A whole number that a form has sent; none where it is none."""
    return whole_number(request.form.get(field, ""))


def whole_number(text: str) -> int | None:
    """The whole number written in ASCII digits; none for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None
