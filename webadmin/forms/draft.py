"""The schedule editor's fields as text, exactly as typed. Knows nothing of their meaning
(`forms.reading` does).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

PARAMETER = "p."
"""Prefix of the form fields that hold one parameter of the job each."""

CRONTAB, EVERY, RRULE = "0 6 * * *", "5", "FREQ=MONTHLY;BYDAY=-1FR"
"""What stands in the fields of the kinds of rule that are not in use."""

UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}


@dataclass(frozen=True)
class Draft:
    """One field of text for each field of the form. `given` holds the job's parameters, where they
    are typed singly.
    """

    name: str = ""
    enabled: bool = True
    kind: str = "crontab"
    crontab: str = ""
    timezone: str = "UTC"
    every: str = ""
    unit: str = "minutes"
    day_match: str = "and"
    dst_gap: str = "auto"
    dst_repeat: str = "auto"
    at: str = ""
    rrule: str = ""
    dtstart: str = ""
    overlap: str = "skip"
    queue_limit: str = ""
    catch_up: str = "latest"
    catch_up_window: str = ""
    starting_deadline: str = ""
    run_timeout: str = ""
    retries: str = ""
    retry_backoff: str = ""
    pause_after_failures: str = ""
    jitter: str = ""
    starts_at: str = ""
    ends_at: str = ""
    max_runs: str = ""
    calendar: str = ""
    job: str = ""
    arguments: str = "form"
    given: Mapping[str, str] = field(default_factory=dict)
    kwargs: str = "{}"
    args: str = "[]"
    queue: str = ""
    priority: str = ""
    owner: str = ""
    tags: str = ""
    description: str = ""
    notes: str = ""
    comment: str = ""
    revision: str = ""
    anchor: str = ""

    @property
    def revision_number(self) -> int | None:
        """The revision that this draft was made from; none if it is not a number."""
        return int(self.revision) if self.revision.isascii() and self.revision.isdigit() else None


def blank(zone: str) -> Draft:
    """The form of a new schedule."""
    return Draft(timezone=zone, crontab=CRONTAB, every=EVERY, rrule=RRULE)


def typed(form: Mapping[str, str]) -> Draft:
    """The draft in a submitted form. A field that was not sent keeps its default; line ends are
    made alike.
    """
    known = {item.name for item in fields(Draft)} - {"enabled", "given"}
    texts = {name: form[name].replace("\r\n", "\n") for name in known if name in form}
    given = {
        key.removeprefix(PARAMETER): text for key, text in form.items() if key.startswith(PARAMETER)
    }
    return Draft(**texts, enabled="enabled" in form, given=given)


def split_seconds(seconds: float) -> tuple[str, str]:
    """A length of time as a number in the largest unit that leaves it whole: 300 is 5 minutes."""
    for unit in ("days", "hours", "minutes"):
        if seconds and seconds % UNITS[unit] == 0:
            return str(int(seconds // UNITS[unit])), unit
    return f"{seconds:.15g}", "seconds"


def pretty(value: object) -> str:
    """JSON as a person wants to edit it: short values in one line."""
    flat = json.dumps(value, ensure_ascii=False)
    return flat if len(flat) <= 60 else json.dumps(value, ensure_ascii=False, indent=2)


def tags(text: str) -> list[str]:
    """The tags in a comma-separated line, each once, in their order."""
    return list(dict.fromkeys(tag for part in text.split(",") if (tag := part.strip())))
