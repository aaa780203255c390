"""An entry's fields as scripts take them, see `entry.lua`. Pure."""

from collections.abc import Sequence


def entry_arguments(fields: Sequence[str | None]) -> list[bytes]:
    """Which of the fields are there, '1' or '0' for each, then their texts; '' for one that is not.

    `fields` are definition, meta and our field, as `codec.Raw` has them.
    """
    there = "".join("0" if text is None else "1" for text in fields)
    return [there.encode(), *(as_stored(text or "") for text in fields)]


def as_stored(text: str) -> bytes:
    """The bytes that `text` was read from, which need not be UTF-8: anybody may write an entry."""
    return text.encode("utf-8", "surrogateescape")
