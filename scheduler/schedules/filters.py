"""The filters of a list of schedules. Pure.

To decode ten thousand entries takes most of a second. The text of an entry is therefore examined
first, and entries that cannot match are dropped without decoding. Text only rules entries out: the
remaining entries are decoded, and the decoded schedule decides.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from scheduler.redbeat.codec import Raw
from scheduler.rules.model.spec import Schedule
from scheduler.rules.policies.window import is_paused

State = Literal["all", "enabled", "disabled", "paused", "finished", "problem"]
"""`enabled` includes paused and finished schedules; `problem` means unreadable or quarantined."""

_ON, _OFF = '"enabled": true}', '"enabled": false}'
"""The end of a definition, as written by RedBeat and by Beatdesk."""


@dataclass(frozen=True)
class Filter:
    """The filters that look into entries."""

    state: State = "all"
    job: str = ""
    tag: str = ""
    now: datetime | None = None
    """The moment at which a schedule is paused or finished."""

    @property
    def is_open(self) -> bool:
        """Whether every entry passes."""
        return self.state == "all" and not self.job and not self.tag

    def may_match(self, raw: Raw, *, static: bool) -> bool:
        """Whether the entry may pass, so that its definition has to be decoded."""
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
        """Whether a schedule passes; None stands for an unreadable entry."""
        if schedule is None or self.state == "problem":
            return (
                schedule is None and self.state in ("all", "problem") and not (self.job or self.tag)
            )
        return self._has_state(schedule) and self.names(schedule)

    def names(self, schedule: Schedule) -> bool:
        """Whether the schedule has the job and the tag of the filters."""
        return (not self.job or schedule.job == self.job) and (
            not self.tag or self.tag in schedule.tags
        )

    def _has_state(self, schedule: Schedule) -> bool:
        """Whether the schedule has the state. For `finished`, the caller looks for a tick left."""
        if self.state in ("all", "problem"):
            return self.state == "all"
        if self.state in ("enabled", "disabled"):
            return schedule.enabled == (self.state == "enabled")
        paused = self.now is not None and is_paused(schedule, self.now)
        return schedule.enabled and paused == (self.state == "paused")


def _spelt(word: str, text: str) -> bool:
    """Whether `word` may occur in a JSON text. A text with escapes counts as a possible match."""
    return word in text or "\\u" in text or json.dumps(word)[1:-1] in text or "\\/" in text
