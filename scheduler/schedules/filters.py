"""Which entries a filtered list shows. Pure.

To decode ten thousand entries takes most of a second, so the text of an entry is looked at first: what cannot match
is dropped unread. The text only ever rules out; what remains is decoded and judged by its meaning.
"""

import json
from dataclasses import dataclass
from typing import Literal

from scheduler.rules.spec import Schedule
from scheduler.schedules.codec import Raw

State = Literal["all", "enabled", "disabled", "problem"]

_ON, _OFF = '"enabled": true}', '"enabled": false}'
"""How a definition ends that RedBeat or we have written."""


@dataclass(frozen=True)
class Filter:
    """The filters that look into entries."""

    state: State = "all"
    job: str = ""
    tag: str = ""

    @property
    def is_open(self) -> bool:
        """Whether everything passes."""
        return self == Filter()

    def may_match(self, raw: Raw, *, static: bool) -> bool:
        """Whether the entry has to be decoded to know."""
        definition, extra = raw.definition or "", raw.extra or ""
        if self.state == "disabled" and definition.endswith(_ON) and not static:
            return False
        if self.state == "enabled" and definition.endswith(_OFF):
            return False
        if self.job and not _spelt(self.job, definition):
            return False
        return not self.tag or _spelt(self.tag, extra)

    def matches(self, schedule: Schedule | None) -> bool:
        """Whether a schedule passes; none stands for an entry that cannot be read."""
        if schedule is None or self.state == "problem":
            return schedule is None and self.state in ("all", "problem") and not (self.job or self.tag)
        if self.state != "all" and schedule.enabled != (self.state == "enabled"):
            return False
        return (not self.job or schedule.job == self.job) and (not self.tag or self.tag in schedule.tags)


def _spelt(word: str, text: str) -> bool:
    """Whether `word` may stand in a JSON text; a text with escapes may spell it in many ways."""
    return word in text or "\\u" in text or json.dumps(word)[1:-1] in text or "\\/" in text
