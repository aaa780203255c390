"""The judgement whether a job may use a secret, where a call is saved and where it runs. Pure.

A use is secret, job, parameter and host; None stands for any (`settings.secret_uses`). A secret
with uses may be used as they say and not otherwise. A secret without uses may be used by the jobs
of your own modules, and by none of Beatdesk's own jobs, since those show or send what they get.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from scheduler.errors import BadArguments
from scheduler.events.secret_names import REFERENCE

Use = Sequence[str | None]


def refuse_forbidden(
    job: str,
    arguments: Iterable[tuple[str, Any]],
    uses: Sequence[Use],
    *,
    is_guarded: bool,
) -> None:
    """Raise BadArguments for a reference to a secret that the job may not use there.

    `arguments` are parameters by name with their values; `is_guarded` says that the job is one of
    Beatdesk's own.
    """
    named = list(arguments)
    host = _host_of(dict(named).get("url"))
    for parameter, value in named:
        for secret in references(value):
            if not _is_permitted(secret, job, parameter, host, uses, is_guarded=is_guarded):
                raise BadArguments(_refusal(secret, job, parameter, host))


def references(value: Any) -> set[str]:
    """Return the names of the secrets referred to in a value, at any depth, also in names.

    As deep as the worker replaces references: a bound here would leave the deeper ones unjudged.
    """
    names: set[str] = set()
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            names.update(match["name"] for match in REFERENCE.finditer(part))
        elif isinstance(part, Mapping):
            waiting += [*part.keys(), *part.values()]
        elif isinstance(part, list | tuple):
            waiting += part
    return names


def _is_permitted(
    secret: str,
    job: str,
    parameter: str,
    host: str | None,
    uses: Sequence[Use],
    *,
    is_guarded: bool,
) -> bool:
    concerned = [use for use in uses if use[0] == secret]
    if not concerned:
        return not is_guarded
    return any(
        use[1] == job and use[2] in (None, parameter) and (use[3] is None or use[3] == host)
        for use in concerned
    )


def _host_of(url: object) -> str | None:
    """Return the host of a call's `url`; None without one, and for one with a secret in it."""
    if not isinstance(url, str) or REFERENCE.search(url):
        return None
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _refusal(secret: str, job: str, parameter: str, host: str | None) -> str:
    place = f"{secret} {job}:{parameter}" + (f"@{host}" if host else "")
    return (
        f"{parameter}: the secret {secret!r} may not be used here; whoever runs the workers "
        f"permits it by an entry of BEATDESK_SECRET_USES: {place}"
    )
