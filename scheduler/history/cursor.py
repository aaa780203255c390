"""The opaque text that says where the next page begins. Pure.

It holds the key of the last row of a page. Opaque, so that what it holds may change; checked,
because it comes back from anybody.
"""

import base64
import binascii

from scheduler.errors import Refused

_MARK = b"k"
_HIGHEST = 2**63 - 1


def cursor(key: int) -> str:
    """The cursor that goes on after the row with this key."""
    return base64.urlsafe_b64encode(_MARK + str(key).encode()).decode().rstrip("=")


def key_of(after: str | None) -> int | None:
    """The key in a cursor; none for the first page."""
    if not after:
        return None
    try:
        read = base64.b64decode(
            after.encode("ascii") + b"=" * (-len(after) % 4), altchars=b"-_", validate=True
        )
    except (UnicodeEncodeError, binascii.Error):
        raise not_a_place(after) from None
    digits = read.removeprefix(_MARK)
    if (
        not read.startswith(_MARK)
        or not digits.isdigit()
        or len(digits) > len(str(_HIGHEST))
        or int(digits) > _HIGHEST
    ):
        raise not_a_place(after)
    return int(digits)


def not_a_place(after: str) -> Refused:
    """The refusal of a text that no page has given."""
    return Refused(
        f"after: {after[:60]!r} is not a place in this list; give the `next` of an earlier page, "
        "or nothing",
        field="after",
    )
