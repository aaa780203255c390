"""The schedule editor's fields as text, exactly as typed. Knows nothing of their meaning (`forms.reading` does)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

from scheduler.rules.spec import CrontabWhen, IntervalWhen, Spec

PARAMETER = "p."
"""Prefix of the form fields that hold one parameter of the job each."""

UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}


@dataclass(frozen=True)
class Draft:
    """One field of text for each field of the form. `given` holds the job's parameters, where they are typed singly."""

    name: str = ""
    enabled: bool = True
    kind: str = "crontab"
    crontab: str = ""
    timezone: str = "UTC"
    every: str = ""
    unit: str = "minutes"
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
    return Draft(timezone=zone, crontab="0 6 * * *", every="5")


def typed(form: Mapping[str, str]) -> Draft:
    """The draft in a submitted form. A field that was not sent keeps its default; line ends are made alike."""
    known = {item.name for item in fields(Draft)} - {"enabled", "given"}
    texts = {name: form[name].replace("\r\n", "\n") for name in known if name in form}
    given = {key.removeprefix(PARAMETER): text for key, text in form.items() if key.startswith(PARAMETER)}
    return Draft(**texts, enabled="enabled" in form, given=given)


def drafted(spec: Spec, *, revision: int | None = None) -> Draft:
    """The draft that shows a saved schedule. Its parameters are split by `forms.arguments.split`, if they can be."""
    draft = Draft(
        name=spec.name,
        enabled=spec.enabled,
        job=spec.job,
        arguments="json",
        kwargs=pretty(spec.kwargs),
        args=pretty(spec.args),
        queue=spec.queue or "",
        priority="" if spec.priority is None else str(spec.priority),
        owner=spec.owner,
        tags=", ".join(spec.tags),
        description=spec.description,
        notes=spec.notes,
        revision="" if revision is None else str(revision),
    )
    when = spec.when
    if isinstance(when, CrontabWhen):
        return replace(draft, kind="crontab", crontab=when.crontab, timezone=when.timezone, every="5")
    if not isinstance(when, IntervalWhen):  # a rule of RedBeat's own: the editor can replace it, not write it
        return replace(draft, kind="", crontab="0 6 * * *", every="5")
    number, unit = split_seconds(when.every)
    anchor = when.anchor.isoformat() if when.anchor else ""
    return replace(draft, kind="interval", every=number, unit=unit, anchor=anchor, crontab="0 6 * * *")


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
