"""Who may use a secret: an entry of `SECRET_USES` is `NAME JOB[:PARAMETER][@HOST]`. Pure."""

import re
from typing import NamedTuple

_NAME = r"[a-z][a-z0-9_-]{0,62}"
_ENTRY = re.compile(
    rf"(?P<secret>{_NAME})\s+(?P<job>[^\s:@,]{{1,255}})"
    r"(?::(?P<parameter>[^\s:@,]{1,100}))?(?:@(?P<host>[A-Za-z0-9._-]{1,253}))?"
)
SENDING_JOB = "http.request"
"""The job with a host: a secret is for one host, so its entries name one."""


class SecretUse(NamedTuple):
    """A permitted use: None stands for any parameter, or for any host."""

    secret: str
    job: str
    parameter: str | None
    host: str | None


def secret_use(text: str) -> SecretUse:
    """Return a single entry of `SECRET_USES`. Raises ValueError with the fault."""
    match = _ENTRY.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not NAME JOB, NAME JOB:PARAMETER or NAME JOB:PARAMETER@HOST")
    use = SecretUse(**match.groupdict())
    if use.job == SENDING_JOB and use.host is None:
        raise ValueError(
            f"{text!r} names no host, to which {SENDING_JOB} may send the secret: write "
            f"{use.secret} {SENDING_JOB}:headers@HOST"
        )
    if use.job != SENDING_JOB and use.host is not None:
        raise ValueError(f"{text!r} names a host, which only {SENDING_JOB} has")
    return use._replace(host=use.host.lower() if use.host else None)
