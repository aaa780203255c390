"""Fields of an entry's hash as arguments of scripts, see `entry.lua`. Pure."""

from collections.abc import Sequence


def entry_arguments(fields: Sequence[str | None]) -> list[bytes]:
    """Return a flag per field, '1' for present or '0' for missing, and then the texts.

    `fields` are definition, meta and Beatdesk's field, in the order of `codec.Raw`. A missing field
    has the text ''.
    """
    there = "".join("0" if text is None else "1" for text in fields)
    return [there.encode(), *(as_stored(text or "") for text in fields)]


def as_stored(text: str) -> bytes:
    """Return the stored bytes of `text`; not always UTF-8, as any program may write an entry."""
    return text.encode("utf-8", "surrogateescape")
