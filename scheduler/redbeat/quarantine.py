"""Why Beat has set an entry aside: beside the reason, of which content it is told, so that a mended
entry is free.

For both scheduler classes. Pure.
"""

import json
from datetime import datetime
from hashlib import sha1

from scheduler.redbeat.codec import Raw
from scheduler.rules.model.identity import tick_text

LONGEST = 2000
"""Characters of a reason that are kept."""


def written(why: str, raw: Raw, now: datetime) -> str:
    """The reason as it is kept."""
    said = why.encode("utf-8", "replace").decode()[:LONGEST]
    return json.dumps({"why": said, "at": tick_text(now), "of": mark(raw)})


def why(text: str | None, raw: Raw) -> str | None:
    """The reason, where it is told of this very content."""
    if text is None:
        return None
    try:
        said = json.loads(text)
        return str(said["why"]) if said["of"] == mark(raw) else None
    except (ValueError, KeyError, TypeError):
        return None


def mark(raw: Raw) -> str:
    """A fingerprint of all three fields."""
    whole = "\0".join("-" if text is None else "+" + text for text in raw)
    return sha1(whole.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()[:16]
