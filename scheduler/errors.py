"""The exceptions of Beatdesk. A message names the field, the value and the remedy.

Console, commands and API show `str(error)`; `field` is the place of the error in a form, a command
or a problem body.
"""


class BeatdeskError(Exception):
    """Beatdesk could not do what was asked."""

    field: str | None = None

    def __init__(self, message: str | None = None, *, field: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())
        if field is not None:
            self.field = field


class Refused(BeatdeskError):
    """The input cannot be accepted."""


class BadExpression(Refused):
    """The expression is not a schedule."""


class UnknownZone(Refused):
    """There is no such time zone."""


class BadName(Refused):
    """The name cannot be used."""

    field = "name"


class BadArguments(Refused):
    """The arguments do not fit the job."""

    field = "kwargs"


class UnknownJob(Refused):
    """No worker offers this job."""

    field = "job"


class NameTaken(Refused):
    """A schedule of this name exists already."""

    field = "name"


class RefusedTogether(Refused):
    """Some changes of a batch were refused, so that none was made; `reasons` by schedule name."""

    def __init__(self, reasons: dict[str, str]) -> None:
        refusals = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
        super().__init__(
            f"nothing was changed, because of {len(reasons)} of them: {refusals}", field="name"
        )
        self.reasons = reasons


class NotFound(BeatdeskError):
    """There is no such thing."""


class StaleRevision(BeatdeskError):
    """The schedule has been changed since it was read.

    `current` is the revision that is stored now, so that both versions can be shown.
    """

    field = "revision"

    def __init__(self, message: str, *, given: int, current: int) -> None:
        super().__init__(message)
        self.given = given
        self.current = current


class UnreadableEntry(BeatdeskError):
    """An entry in Redis is not one that Beat can run; the message says what is wrong with it."""


class JobExited(BeatdeskError):
    """The job left its program by `sys.exit` with another code than 0, or by an interrupt."""


class JobOutOfMemory(BeatdeskError):
    """The job needed more memory than its process may have."""


class Unavailable(BeatdeskError):
    """A server that is needed does not answer."""
