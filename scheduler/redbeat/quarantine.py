"""The record of a quarantined entry: the reason, and a fingerprint of the faulty content. Pure.

With another fingerprint, the entry has been edited, and is no longer in quarantine. Both scheduler
classes, Beatdesk's and the adapter for stock RedBeat, write the record.
"""

import json
from datetime import datetime
from hashlib import sha1

from scheduler.redbeat.codec import Raw
from scheduler.rules.model.identity import tick_text

LONGEST = 2000
"""Characters of a reason that are stored."""


def encode(reason: str, raw: Raw, now: datetime) -> str:
    """Return the record of an entry that Beat cannot fire, as JSON."""
    text = reason.encode("utf-8", "replace").decode()[:LONGEST]
    return json.dumps({"why": text, "at": tick_text(now), "of": mark(raw)})


def reason_of(text: str | None, raw: Raw) -> str | None:
    """Return the reason in the record `text`; None where the record is about other content."""
    if text is None:
        return None
    try:
        record = json.loads(text)
        return str(record["why"]) if record["of"] == mark(raw) else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def mark(raw: Raw) -> str:
    """Return a fingerprint of the three fields of an entry."""
    whole = "\0".join("-" if text is None else "+" + text for text in raw)
    return sha1(whole.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()[:16]
