"""The exceptions of Beatdesk. A message names the field, the value and the remedy.

Console, commands and API show `str(error)`; `field` is the place of the error in a form, a command
or a problem body.
"""


class BeatdeskError(Exception):
    """Beatdesk could not carry out the request."""

    field: str | None = None

    def __init__(self, message: str | None = None, *, field: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())
        if field is not None:
            self.field = field


class Refused(BeatdeskError):
    """The input cannot be accepted."""


class NotPermitted(Refused):
    """The rights of the person do not cover this schedule."""


class BadExpression(Refused):
    """The expression is not a schedule."""


class UnknownZone(Refused):
    """The named time zone does not exist."""


class BadName(Refused):
    """The name cannot be used."""

    field = "name"


class BadArguments(Refused):
    """The arguments do not fit the job."""

    field = "kwargs"


class UnknownJob(Refused):
    """No worker offers the named job."""

    field = "job"


class NameTaken(Refused):
    """A schedule of this name exists already."""

    field = "name"


class RefusedTogether(Refused):
    """Some changes of a batch were refused, so none was made; `reasons` by schedule name."""

    def __init__(self, reasons: dict[str, str]) -> None:
        refusals = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
        super().__init__(
            f"nothing was changed, because of {len(reasons)} of them: {refusals}", field="name"
        )
        self.reasons = reasons


class NotFound(BeatdeskError):
    """The requested record does not exist."""


class StaleRevision(BeatdeskError):
    """The schedule has been changed since the read.

    `current` is the revision stored now, for showing both versions.
    """

    field = "revision"

    def __init__(self, message: str, *, given: int, current: int) -> None:
        super().__init__(message)
        self.given = given
        self.current = current


class UnreadableEntry(BeatdeskError):
    """Beat cannot run an entry in Redis; the message has the reason."""


class JobExited(BeatdeskError):
    """The job left its program by `sys.exit` with another code than 0, or by an interrupt."""


class JobOutOfMemory(BeatdeskError):
    """The job needed more memory than its process may have."""


class Unavailable(BeatdeskError):
    """A needed server does not answer."""


def readable_text(error: object) -> str:
    """Return `str(error)`; a text in its place where an exception's own `__str__` raises."""
    try:
        return str(error)
    except Exception as again:  # noqa: BLE001 - it may raise anything
        return f"[cannot be shown: {type(again).__name__}]"
