"""Jobs that let a secret out wherever a job can: workers get this module by BEATDESK_JOBS."""

import base64
import logging
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from celery import Task

from scheduler.job import job, run

log = logging.getLogger("shop.canary")


def spellings(value: str) -> dict[str, str]:
    """A value as jobs write it by chance: plain and coded, and its two halves."""
    raw = value.encode()
    middle = len(value) // 2
    return {
        "plain": value,
        "percent": quote(value, safe=""),
        "base64": base64.b64encode(raw).decode(),
        "base64 for addresses": base64.urlsafe_b64encode(raw).decode().rstrip("="),
        "hex": raw.hex(),
        "HEX": raw.hex().upper(),
        "reversed": value[::-1],
        "first half": value[:middle],
        "second half": value[middle:],
    }


def whole_spellings(value: str) -> list[str]:
    """The spellings of the whole value, which are hidden; halves are a job author's own doing."""
    return [text for name, text in spellings(value).items() if "half" not in name]


@dataclass
class Session:
    """An object that is no JSON, and whose field has no secret's name."""

    visitor: str


class ShopError(Exception):
    """An error whose text is made when it is shown."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self.session = Session(token)

    def __str__(self) -> str:
        return f"no session for {self.session.visitor}"


@job("canary.shows")
def shows(token: str, bank: str) -> dict[str, Any]:
    """Show two secrets in the log, in the progress and in the result, also where texts are cut."""
    for text in [*whole_spellings(token), *whole_spellings(bank)]:
        log.warning("uses %s", text, extra={"token_in_use": text})
        sys.stdout.write(f"prints {text}\n")
    logging.getLogger(f"shop.{token}").error("a logger that is called like it")
    for length in range(0, len(token), 3):
        log.warning("%s%s", "x" * (4000 - length), token)
        run.progress(1, 2, f"{'y' * (200 - length)}{token}")
    warnings.warn(f"a warning about {bank}", stacklevel=1)
    run.progress(2, 2, f"done with {token}")
    return {
        "plain": whole_spellings(token),
        bank: "as a name",
        "object": Session(token).__dict__,
        "long": f"{'z' * 60_000}{token}",
    }


@job("canary.returns_an_object")
def returns_an_object(token: str) -> Any:
    """Return an object with a secret, which is no JSON."""
    return Session(token)


@job("canary.returns_many_kinds")
def returns_many_kinds(token: str, bank: str) -> list[Any]:
    """Return secrets in values that are no JSON, and in a name."""
    return [Path("/shop") / bank, {Session(bank).visitor}, (token.encode(),), {1: Session(token)}]


@job("canary.fails")
def fails(token: str, bank: str) -> None:
    """Fail with two secrets in the error, in its cause, and in notes."""
    try:
        raise ShopError(bank)
    except ShopError as cause:
        error = ValueError(f"refused: {' '.join(whole_spellings(token))}", Session(bank), [token])
        error.add_note(f"with {token}")
        raise ExceptionGroup("both", [error, ShopError(token)]) from cause


@job("canary.retries", bind=True, max_retries=1)
def retries(self: Task, token: str) -> str:
    """Fail once with a secret in the error, and ask for another attempt."""
    if self.request.retries == 0:
        raise self.retry(exc=ShopError(token), countdown=0)
    return "at last"
