"""The content of a submitted schedule form, for preview, warnings, comparison and store."""

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
"""The job of a draft without a chosen job."""

RULE_FIELDS = {"interval": "every", "once": "at", "rrule": "rrule"}
"""The form field of the rule, by kind; `crontab` for a draft without a kind."""


@dataclass(frozen=True)
class Draft:
    """The readable parts of a schedule form, and the errors by form field.

    `spec` is None unless every field was readable. Further checks (ticks ahead, an existing job,
    fitting arguments) belong to the review, not to the draft.
    """

    kind: str = ""
    name: str = ""
    job: str = ""
    comment: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    """Readable values beside rule, policies, window and arguments, such as `queue`."""

    errors: dict[str, str] = field(default_factory=dict)
    when: EditableWhen | None = None
    policies: Policies | None = None
    window: Window | None = None
    args: list[JsonValue] | None = None
    kwargs: dict[str, JsonValue] | None = None
    spec: Spec | None = None

    def outline(self, when: EditableWhen) -> Spec:
        """Return a Spec with `when` as the rule, sufficient for ticks and warnings."""
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
        """Return the form field for a refusal of the engine's field `name`."""
        rule = RULE_FIELDS.get(self.kind, "crontab")
        names = {"when": rule, "anchor": "every", "zone": "timezone"}
        return names.get(name or "", name or "") or "form"
