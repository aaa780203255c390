"""The reader of settings: environment, secret files, `.env`, and a running server's address.

Imported by the roots of processes only. Precedence, strongest first:

    BEATDESK_X in the environment
    the file named by BEATDESK_X_FILE, or /run/secrets/beatdesk_x
    `.env` in the current folder (there, too, X before X_FILE)
    the address file of a running `beatdesk up` on this data folder
    the default

All faults are reported at once, each with a remedy.

Why not pydantic-settings: an unknown name with the prefix `BEATDESK_`, mostly misspelt, must be
refused with the closest setting, and pydantic-settings ignores unknown names; a secret's file has
its own setting (`BEATDESK_X_FILE`) and wins over `.env`; lists are comma-separated, not JSON; and
faults of the environment, of files and of contradicting settings are reported together before a
process starts. The tests are in `tests/unit/settings/test_live.py`; the types are pydantic's.
"""

import logging
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from dotenv import dotenv_values
from pydantic import ValidationError

from scheduler.settings import private_files, server_file
from scheduler.settings.errors import PREFIX, BadSettings, SettingFault, holds_secret
from scheduler.settings.schema import Settings
from scheduler.settings.validation import (
    LISTS,
    entries,
    explain,
    unknown,
    unsafe,
    unusable,
)

log = logging.getLogger(__name__)

SECRETS_DIR = Path("/run/secrets")
JOB_SECRETS = f"{PREFIX}JOB_SECRET_"  # no settings: workers read them when a job names one
SECRET_KEY_FILE = "secret_key"  # noqa: S105 - a file's name


class Given(NamedTuple):
    """The text of a setting, its source in words, and the file that it stands in, if any."""

    text: str
    source: str
    file: Path | None = None


Layer = dict[str, Given]
"""The given settings, by field name."""


def load(
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    *,
    running_server: bool = True,
) -> Settings:
    """Return the settings of this process. Raises BadSettings with every fault.

    Creates the data folder. In development, takes Beatdesk's files from other users of the machine;
    in production such a file is a fault, and so is a file with a secret setting.
    `running_server=False` is for `beatdesk up`, because it must not use the address of another
    server.
    """
    environ = os.environ if environ is None else environ
    cwd = (cwd or Path.cwd()).resolve()
    faults: list[SettingFault] = []
    given = _gather(environ, cwd, faults)
    data_dir = (
        cwd / given["data_dir"].text
        if "data_dir" in given
        else cwd / Settings.model_fields["data_dir"].default
    )
    if running_server:
        given = _address(data_dir) | given
    faults += _folder_faults(data_dir)
    settings = _validate(given, data_dir, faults)
    if (
        settings
        and not faults
        and settings.environment == "development"
        and settings.secret_key is None
    ):
        settings = settings.model_copy(update={"secret_key": _development_key(data_dir, faults)})
    faults += unsafe(settings) if settings else []
    if settings:
        faults += _private(settings, given)
    if settings is None or faults:
        raise BadSettings(faults)
    return settings


def _private(settings: Settings, given: Layer) -> list[SettingFault]:
    """Take Beatdesk's files from other users; in production, return a fault for each."""
    own = private_files.own_files(settings.data_dir.resolve(), settings.database)
    if settings.environment == "production":
        return list(private_files.readable([*own, *_secret_files(given)]))
    for line in private_files.narrow(own):
        log.warning("%s", line)
    return []


def _secret_files(given: Layer) -> list[Path]:
    """The files with secret settings, but those that a container runtime mounts.

    Such a mount belongs to one container, and its mode cannot be changed from inside.
    """
    files = {
        each.file
        for field, each in given.items()
        if each.file is not None and holds_secret(field, each.text)
    }
    return sorted(file for file in files if not file.is_relative_to(SECRETS_DIR))


def _gather(environ: Mapping[str, str], cwd: Path, faults: list[SettingFault]) -> Layer:
    """The values in `.env`, secret files and the environment; an empty text counts as unset.

    Unknown names and unreadable files are appended to `faults`.
    """
    given: Layer = {}
    for texts, source in ((_dotenv(cwd / ".env", faults), ".env"), (environ, "environment")):
        if source == "environment":
            given |= _mounted_secrets(faults)
        prefixed = {
            name: text for name, text in texts.items() if name.startswith(PREFIX) and text.strip()
        }
        if (
            source == "environment"
        ):  # in `.env` a secret of a job is a fault: workers do not read it
            prefixed = {
                name: text for name, text in prefixed.items() if not name.startswith(JOB_SECRETS)
            }
        faults += [unknown(name, source) for name in sorted(prefixed) if _field(name) is None]
        files = {
            name: text for name, text in prefixed.items() if name.endswith("_FILE") and _field(name)
        }
        for name, path in files.items():
            given |= _from_file(name, cwd / path, source, faults)
        for name, text in prefixed.items():
            if name not in files and (field := _field(name)):
                given[field] = Given(text, source, cwd / ".env" if source == ".env" else None)
    return given


def _field(name: str) -> str | None:
    """The field that a variable sets, by a value or by a file; None for an unknown name."""
    field = name.removeprefix(PREFIX)
    if field != field.upper():
        return None
    for candidate in (field.lower(), field.lower().removesuffix("_file")):
        if candidate in Settings.model_fields:
            return candidate
    return None


def _dotenv(path: Path, faults: list[SettingFault]) -> dict[str, str]:
    try:
        return {
            name: text
            for name, text in dotenv_values(path, interpolate=False).items()
            if text is not None
        }
    except (OSError, UnicodeDecodeError) as error:
        faults.append(
            SettingFault(
                str(path), None, f"it cannot be read: {_reason(error)}", "Mend or remove it", ".env"
            )
        )
        return {}


def _from_file(name: str, path: Path, source: str, faults: list[SettingFault]) -> Layer:
    try:
        text = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        problem = f"the file cannot be read: {_reason(error)}"
        faults.append(
            SettingFault(
                name, str(path), problem, "Name a readable file that holds the value", source
            )
        )
        return {}
    return {str(_field(name)): Given(text, f"the file of {name}", path)}


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return str(error.strerror) if isinstance(error, OSError) else "it is not text in UTF-8"


def _mounted_secrets(faults: list[SettingFault]) -> Layer:
    """The values in files mounted by a container runtime, such as /run/secrets/beatdesk_jobs."""
    given: Layer = {}
    for path in sorted(SECRETS_DIR.iterdir()) if SECRETS_DIR.is_dir() else ():
        name = path.name.upper()
        if name.startswith(PREFIX) and _field(name):
            given |= _from_file(name, path, "secret", faults)
    return given


def _address(data_dir: Path) -> Layer:
    server = server_file.read(data_dir)
    if server is None:
        return {}
    return {field: Given(text, "the running server") for field, text in server.settings.items()}


def _validate(given: Layer, data_dir: Path, faults: list[SettingFault]) -> Settings | None:
    """The settings made of texts; None with unfitting values, which are appended to `faults`."""
    faults += [
        fault for field, each in given.items() if (fault := unusable(field, each.text, each.source))
    ]
    values: dict[str, Any] = {field: each.text.strip() for field, each in given.items()}
    values["data_dir"] = data_dir
    values |= {field: entries(values[field]) for field in LISTS & set(values)}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            field = str(detail["loc"][0])
            each = given.get(field, Given("", "environment"))
            faults.append(explain(field, each.text, each.source, detail["msg"]))
        return None


def _folder_faults(data_dir: Path) -> list[SettingFault]:
    """Create the data folder. Returns a fault if the folder cannot be created or written to."""
    name = f"{PREFIX}DATA_DIR"
    remedy = "Name a folder that this user may write to"
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        return [
            SettingFault(
                name,
                str(data_dir),
                f"the folder cannot be made: {error.strerror}",
                remedy,
                "in use",
            )
        ]
    if not os.access(data_dir, os.W_OK | os.X_OK):
        return [
            SettingFault(name, str(data_dir), "the folder cannot be written to", remedy, "in use")
        ]
    return []


def _development_key(data_dir: Path, faults: list[SettingFault]) -> str | None:
    """The secret key in the data folder, made on first use, so that sessions outlive a restart."""
    path = data_dir / SECRET_KEY_FILE
    try:
        if not path.exists():
            _write_once(path, secrets.token_urlsafe(48))
        return path.read_text().strip()
    except OSError as error:
        remedy = f"Make it readable, or set {PREFIX}SECRET_KEY"
        faults.append(
            SettingFault(
                str(path), None, f"the secret key cannot be kept there: {error.strerror}", remedy
            )
        )
        return None


def _write_once(path: Path, text: str) -> None:
    """Write a private file atomically; of two processes writing at once, the first one wins."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
