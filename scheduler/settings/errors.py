"""Faults of settings, and the error that lists all faults. Pure."""

from dataclasses import dataclass

from scheduler.storage.addresses.masking import without_password

__all__ = [
    "EXPLAINED",
    "PREFIX",
    "SECRET_FIELDS",
    "BadSettings",
    "SettingFault",
    "holds_secret",
    "masked",
    "without_password",
]

PREFIX = "BEATDESK_"
ADDRESSES = frozenset(
    {
        "redis_url",
        "broker_url",
        "result_backend",
        "database_url",
        "report_dsn",
        "cleanup_dsn",
        "smtp_url",
    }
)
"""Settings whose value may have a password in it; the rest is shown."""

SECRET_FIELDS = ADDRESSES | {"secret_key", "oidc_client_secret", "starter_token"}
EXPLAINED = (
    "every setting is explained in docs/reference/settings.md, and in the console under Help"
)
"""The commands' additional line for people below the faults of settings."""


@dataclass(frozen=True, slots=True)
class SettingFault:
    """A fault of a setting: the problem, the source of the value, and the remedy."""

    name: str
    value: str | None
    problem: str
    remedy: str
    source: str = "environment"

    def __str__(self) -> str:
        given = "" if self.value is None else f"={masked(self.name, self.value)} ({self.source})"
        return f"{self.name}{given}: {self.problem}. {self.remedy}"


class BadSettings(Exception):
    """The settings cannot be used; the message lists every fault."""

    def __init__(self, faults: list[SettingFault]) -> None:
        self.faults = faults
        lines = "\n".join(f"  {fault}" for fault in faults)
        super().__init__(f"the settings cannot be used:\n{lines}")


def masked(name: str, value: str) -> str:
    """Return the value of a setting for messages, with secrets and passwords hidden."""
    field = name.removeprefix(PREFIX).lower().removesuffix("_file")
    if field not in SECRET_FIELDS or name.endswith("_FILE"):
        return repr(value)
    is_address = field in ADDRESSES and "://" in value
    return repr(without_password(value)) if is_address else "'***'"


def holds_secret(field: str, value: str) -> bool:
    """Whether the value of a setting is a secret, or an address with a password in it."""
    if field in ADDRESSES:
        return without_password(value) != value
    return field in SECRET_FIELDS
