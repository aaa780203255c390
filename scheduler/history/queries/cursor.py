"""The opaque text at which the next page of a list begins. Pure.

A cursor holds the key of a page's last row. It is opaque so that its content may change, and
checked because clients send it back.
"""

import base64
import binascii

from scheduler.errors import Refused

_MARK = b"k"
_HIGHEST = 2**63 - 1


def cursor(key: int) -> str:
    """The cursor for the page after the row with this key."""
    return base64.urlsafe_b64encode(_MARK + str(key).encode()).decode().rstrip("=")


def key_of(after: str | None) -> int | None:
    """The key in a cursor; None for the first page. Raises Refused for any other text."""
    if not after:
        return None
    try:
        decoded = base64.b64decode(
            after.encode("ascii") + b"=" * (-len(after) % 4), altchars=b"-_", validate=True
        )
    except (UnicodeEncodeError, binascii.Error):
        raise not_a_place(after) from None
    digits = decoded.removeprefix(_MARK)
    if (
        not decoded.startswith(_MARK)
        or not digits.isdigit()
        or len(digits) > len(str(_HIGHEST))
        or int(digits) > _HIGHEST
    ):
        raise not_a_place(after)
    return int(digits)


def not_a_place(after: str) -> Refused:
    """The refusal of a text that is not a cursor."""
    return Refused(
        f"after: {after[:60]!r} is not a place in this list; give the `next` of an earlier page, "
        "or nothing",
        field="after",
    )
