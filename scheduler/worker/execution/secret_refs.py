"""References to secrets, `secret://name`: values for a job, hidden again in the job's output.

A reference may stand anywhere in a job's arguments, also inside of a text (`Bearer
secret://shop-token`). Schedules, messages, events and history contain the reference; the value
exists only in the worker's process, while the job runs.
"""

import base64
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from scheduler.errors import Refused, readable_text
from scheduler.events.bounds import DEEPEST, bounded
from scheduler.events.secret_names import MASK, REFERENCE, SHORTEST

SCHEME = "secret://"
_BROKEN = re.compile(r"secret://[^\s'\"]{0,80}")

VARIABLE_PREFIX = "BEATDESK_JOB_SECRET_"
"""Prefix of a secret's variable in a worker's environment.

The name follows in capitals, with `_` for `-`.
"""

LONGEST_FILE = 65_536
_SHORTEST_LINE = 8
_LONGEST_SHOWN = 1_000_000
"""Bytes of an object's JSON that are searched for secrets."""

Lookup = Callable[[str], str]


class UnknownSecret(Refused):
    """The worker has no secret of this name."""

    field = "kwargs"


class SecretStore:
    """Secrets of a worker: a file in `folder`, or else a variable of `environ`.

    Read for each job, so that a changed secret needs no restart.
    """

    def __init__(self, folder: Path | None, environ: Mapping[str, str] = os.environ) -> None:
        self._folder = folder
        self._environ = environ

    def get(self, name: str) -> str:
        """Return the value of a secret, without the line end of the file.

        Raises UnknownSecret for a secret in neither place (the error names both), for an unreadable
        file, and for a secret of fewer than `SHORTEST` characters.
        """
        variable = VARIABLE_PREFIX + name.upper().replace("-", "_")
        value = self._from_file(name)
        if value is None:
            value = self._environ.get(variable)
        if value is None:
            folder = (
                "BEATDESK_SECRETS_DIR, which is not set"
                if self._folder is None
                else str(self._folder)
            )
            raise UnknownSecret(
                f"there is no secret {name!r} on this worker; put it into a file of this name in "
                f"{folder}, or into {variable}"
            )
        if len(value) < SHORTEST:
            raise UnknownSecret(
                f"the secret {name!r} has fewer than {SHORTEST} characters and could not be hidden"
            )
        return value

    def _from_file(self, name: str) -> str | None:
        if self._folder is None:
            return None
        try:
            with (self._folder / name).open(encoding="utf-8") as file:
                return file.read(LONGEST_FILE).strip("\r\n")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise UnknownSecret(
                f"the file of the secret {name!r} cannot be read: {error}"
            ) from None


def resolved(value: Any, lookup: Lookup, used: set[str]) -> Any:
    """Return the JSON-like value with references replaced. The secrets are added to `used`.

    Raises UnknownSecret for a missing secret, and for text that begins with `secret://` but is not
    a reference.
    """
    if isinstance(value, str):
        return _resolved_text(value, lookup, used) if SCHEME in value else value
    if isinstance(value, Mapping):
        return {key: resolved(item, lookup, used) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(resolved(item, lookup, used) for item in value)
    return value


def _resolved_text(text: str, lookup: Lookup, used: set[str]) -> str:
    def replace(found: re.Match[str]) -> str:
        secret = lookup(found["name"])
        used.add(secret)
        return secret

    rest = REFERENCE.sub("", text)
    if broken := _BROKEN.search(rest):
        raise UnknownSecret(
            f"{broken[0]!r} is no reference to a secret: a name begins with a small letter and "
            "has small letters, digits, - and _, 63 at most"
        )
    return REFERENCE.sub(replace, text)


class Concealer:
    """Concealer of a run's secrets in texts, values and exceptions."""

    def __init__(self, secrets: Sequence[str]) -> None:
        forms = {form for secret in secrets for form in _forms(secret)}
        self._pattern = re.compile(
            "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
        )
        self._any = bool(forms)

    def text(self, text: str) -> str:
        """The text with each secret replaced by `MASK`."""
        return self._pattern.sub(MASK, text) if self._any else text

    def value(self, value: Any, depth: int = 0) -> Any:
        """Return JSON-like data without the secrets.

        Data deeper than `DEEPEST` levels is replaced as a whole. An object of another type is
        returned unchanged, unless its JSON or its repr shows a secret.
        """
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, bytes):
            return self.text(value.decode("utf-8", "surrogateescape")).encode(
                "utf-8", "surrogateescape"
            )
        if depth > DEEPEST:
            return MASK
        if type(value) is dict:
            return {
                self.value(key, depth + 1): self.value(item, depth + 1)
                for key, item in value.items()
            }
        if type(value) in (list, tuple, set, frozenset):
            return type(value)(self.value(item, depth + 1) for item in value)
        return self._object(value)

    def _object(self, value: Any) -> Any:
        """The object where it shows no secret; else its JSON, or its repr, without the secrets."""
        if not self._any or value is None or isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            return MASK if self._pattern.fullmatch(str(value)) else value
        shown = bounded(value, _LONGEST_SHOWN)
        hidden = self.value(shown)
        is_safe = hidden == shown and self._pattern.search(_readable_repr(value)) is None
        return value if is_safe else hidden

    def error(self, error: BaseException) -> BaseException:
        """Return the exception without the secrets, also in the exceptions that led to it.

        Changes the exception in place; a RuntimeError with the original traceback replaces an
        exception whose text cannot be changed.
        """
        if not self._any:
            return error
        visited: set[int] = set()
        waiting: list[BaseException | None] = [error]
        while waiting:
            one = waiting.pop()
            if one is None or id(one) in visited:
                continue
            visited.add(id(one))
            self._clean(one)
            waiting += [one.__cause__, one.__context__, getattr(one, "exc", None)]
            waiting += one.exceptions if isinstance(one, BaseExceptionGroup) else ()
            for link in ("__cause__", "__context__"):
                if (led := getattr(one, link)) is not None and self._shows(led):
                    setattr(one, link, None)
        if not self._shows(error):
            return error
        return RuntimeError(
            f"{type(error).__name__}: {self.text(readable_text(error))}"
        ).with_traceback(error.__traceback__)

    def _clean(self, error: BaseException) -> None:
        error.args = self.value(error.args)
        for name, held in list(vars(error).items()):
            if isinstance(held, str | list | dict | tuple | bytes):
                setattr(error, name, self.value(held))

    def _shows(self, error: BaseException) -> bool:
        """Whether a secret is still in the exception's text."""
        return (
            self._pattern.search(readable_text(error)) is not None
            or self._pattern.search(repr(error.args)) is not None
        )


def _readable_repr(value: object) -> str:
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001 - an object's own method may raise anything
        return f"[cannot be shown: {type(error).__name__}]"


def _forms(secret: str) -> set[str]:
    """Return the spellings of a secret: plain, in JSON, in an address, in Base64, in hexadecimal,
    reversed.

    Also each line of the secret of at least `_SHORTEST_LINE` characters. A secret in parts, or in
    another coding, is not found: whoever writes a job's code is trusted.
    """
    raw = secret.encode()
    in_base64 = {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    lines = {line for line in secret.splitlines() if len(line) >= _SHORTEST_LINE}
    return {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        quote(secret),
        quote(secret, safe=""),
        secret[::-1],
        raw.hex(),
        raw.hex().upper(),
        raw[::-1].hex(),
        *(text.rstrip("=") for text in in_base64 if len(text.rstrip("=")) >= _SHORTEST_LINE),
        *in_base64,
        *lines,
    }
