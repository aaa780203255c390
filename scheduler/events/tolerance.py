"""Events of a newer version: which refused events an upgrade will make readable. Pure.

During a rolling upgrade, and after a downgrade, an older recorder reads events of a newer version.
Unknown fields are ignored. An event of an unknown kind, of a higher `v`, or with an unknown word in
a field of words (a new reason, a new trigger) waits aside until a version that knows it records it.
Everything else that cannot be decoded is broken, and no upgrade mends it.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

_KIND = re.compile(r"[a-z][a-z_]{0,40}\.[a-z][a-z_]{0,40}")
_WORD = re.compile(r"[a-z][a-z_]{0,40}")


def is_from_newer_version(
    text: str, faults: Iterable[Mapping[str, Any]], kinds: frozenset[str], version: int
) -> bool:
    """Whether the refused event is one of a newer version; `faults` are pydantic's errors, with
    their inputs.
    """
    try:
        event = json.loads(text)
    except (ValueError, RecursionError):
        return False
    if not isinstance(event, dict):
        return False
    if type(event.get("v")) is int and event["v"] > version:
        return True
    kind = event.get("kind")
    if isinstance(kind, str) and kind not in kinds:
        return _KIND.fullmatch(kind) is not None
    return all(_is_unknown_word(fault) for fault in faults)


def reasons(error: ValidationError) -> str:
    """The faults with their places in the event, without values, which may be secret."""
    faults = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(
        f"{'.'.join(map(str, fault['loc'])) or 'event'}: {fault['msg']}" for fault in faults
    )


def _is_unknown_word(fault: Mapping[str, Any]) -> bool:
    given = fault.get("input")
    is_word = isinstance(given, str) and _WORD.fullmatch(given) is not None
    return fault["type"] == "literal_error" and is_word
