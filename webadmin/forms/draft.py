"""What a submitted schedule form means. It is read once; preview, warnings, comparison and store
take it from here.
"""

from dataclasses import dataclass, field
from typing import Any

from pydantic import JsonValue

from scheduler.rules.model.spec import (
    CrontabWhen,
    IntervalWhen,
    OnceWhen,
    Policies,
    RruleWhen,
    Spec,
    Window,
)

EditableWhen = CrontabWhen | IntervalWhen | OnceWhen | RruleWhen

UNCHOSEN = "unchosen"
"""The job of a draft in which none is chosen yet."""

RULE_FIELDS = {"interval": "every", "once": "at", "rrule": "rrule"}
"""Which field of the form writes the rule, by kind; `crontab` where there is no kind."""


@dataclass(frozen=True)
class Draft:
    """As much of a schedule as could be read, and what is wrong, by the form's field.

    `spec` is None unless everything could be read. Whether the rule fires, whether there is such a
    job and whether the arguments fit it is not decided here, but when the draft is reviewed.
    """

    kind: str = ""
    name: str = ""
    job: str = ""
    comment: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    """The fields beside rule, policies, window and arguments that could be read, such as
    `queue`.
    """

    errors: dict[str, str] = field(default_factory=dict)
    when: EditableWhen | None = None
    policies: Policies | None = None
    window: Window | None = None
    args: list[JsonValue] | None = None
    kwargs: dict[str, JsonValue] | None = None
    spec: Spec | None = None

    def outline(self, when: EditableWhen) -> Spec:
        """As much of the schedule as decides about its ticks and warnings, with `when` for its
        rule.
        """
        return Spec(
            name=self.name or "unnamed",
            job=self.job or UNCHOSEN,
            enabled=bool(self.values.get("enabled")),
            when=when,
            args=self.args or [],
            kwargs=self.kwargs or {},
            queue=self.values.get("queue"),
            policies=self.policies or Policies(),
            window=self.window or Window(),
        )

    def at_field(self, name: str | None) -> str:
        """The form's field that can mend a refusal of the engine's field `name`."""
        rule = RULE_FIELDS.get(self.kind, "crontab")
        names = {"when": rule, "anchor": "every", "zone": "timezone"}
        return names.get(name or "", name or "") or "form"
