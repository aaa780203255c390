"""Which entries a filtered list shows. Pure.

To decode ten thousand entries takes most of a second, so the text of an entry is looked at first:
what cannot match is dropped unread. The text only ever rules out; what remains is decoded and
judged by its meaning.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from scheduler.redbeat.codec import Raw
from scheduler.rules.model.spec import Schedule
from scheduler.rules.policies.window import is_paused

State = Literal["all", "enabled", "disabled", "paused", "finished", "problem"]
"""`enabled` is switched on, paused and finished ones too; `problem` cannot be read."""

_ON, _OFF = '"enabled": true}', '"enabled": false}'
"""How a definition ends that RedBeat or we have written."""


@dataclass(frozen=True)
class Filter:
    """The filters that look into entries."""

    state: State = "all"
    job: str = ""
    tag: str = ""
    now: datetime | None = None
    """What is paused, and what is finished, is so at a time."""

    @property
    def is_open(self) -> bool:
        """Whether everything passes."""
        return self.state == "all" and not self.job and not self.tag

    def may_match(self, raw: Raw, *, static: bool) -> bool:
        """Whether the entry has to be decoded to know."""
        definition, extra = raw.definition or "", raw.extra or ""
        if self.state == "paused" and '"paused"' not in extra:
            return False
        if self.state == "disabled" and definition.endswith(_ON) and not static:
            return False
        if self.state in ("enabled", "paused", "finished") and definition.endswith(_OFF):
            return False
        if self.job and not (_spelt(self.job, definition) or _spelt(self.job, extra)):
            return False
        return not self.tag or _spelt(self.tag, extra)

    def matches(self, schedule: Schedule | None) -> bool:
        """Whether a schedule passes; none stands for an entry that cannot be read."""
        if schedule is None or self.state == "problem":
            return (
                schedule is None and self.state in ("all", "problem") and not (self.job or self.tag)
            )
        return self._has_state(schedule) and self.names(schedule)

    def names(self, schedule: Schedule) -> bool:
        """Whether job and tag are those that are looked for."""
        return (not self.job or schedule.job == self.job) and (
            not self.tag or self.tag in schedule.tags
        )

    def _has_state(self, schedule: Schedule) -> bool:
        """As far as the schedule alone tells it; whether a tick is left, `finished` asks the
        reader.
        """
        if self.state in ("all", "problem"):
            return self.state == "all"
        if self.state in ("enabled", "disabled"):
            return schedule.enabled == (self.state == "enabled")
        paused = self.now is not None and is_paused(schedule, self.now)
        return schedule.enabled and paused == (self.state == "paused")


def _spelt(word: str, text: str) -> bool:
    """Whether `word` may stand in a JSON text; a text with escapes may spell it in many ways."""
    return word in text or "\\u" in text or json.dumps(word)[1:-1] in text or "\\/" in text
