"""The opaque text for the place where the next page of a list begins. Pure.

A cursor holds the key of a page's last row. Opaque, so that the content may change; checked,
because clients send the text back.
"""

import base64
import binascii

from scheduler.errors import Refused

_MARK = b"k"
_HIGHEST = 2**63 - 1


def cursor(key: int) -> str:
    """Return the cursor for the page after the row with the given key."""
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
    """Return the refusal of a text other than a cursor."""
    return Refused(
        f"after: {after[:60]!r} is not a place in this list; give the `next` of an earlier page, "
        "or nothing",
        field="after",
    )
