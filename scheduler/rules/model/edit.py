"""Who changes something, when, and why: what every edit of schedules and calendars carries to
its revision.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Edit:
    """The circumstances of one edit.

    `actor` is an e-mail address, or `cli:` and the name of a user. `now` is read once, where the
    edit begins, and decides about all that the edit touches. `comment` is the reason, in the words
    of whoever edits.
    """

    actor: str
    now: datetime
    comment: str = ""
