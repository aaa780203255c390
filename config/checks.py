"""What is wrong with a value, and what to do about it: pure functions from texts and settings to faults."""

from difflib import get_close_matches
from zoneinfo import ZoneInfo

from config.faults import PREFIX, Fault
from config.schema import Settings

KEY_LENGTH = 32

_SCHEMES = {
    "redis_url": ("redis", "rediss", "unix"),
    "database_url": ("sqlite", "postgresql", "postgres"),
}
_EXAMPLES = {
    "redis_url": "redis://:password@host:6379/0",
    "database_url": "postgresql://user:password@host/beatdesk",
}


def unknown(name: str, source: str) -> Fault:
    """The fault of a name with our prefix that sets nothing, with the nearest one that does."""
    names = [PREFIX + field.upper() for field in Settings.model_fields]
    near = get_close_matches(name.upper().removesuffix("_FILE"), names, n=1, cutoff=0.6)
    remedy = f"Did you mean {near[0]}?" if near else f"Remove it; the settings are {', '.join(names)}"
    return Fault(name, None, f"there is no such setting ({source})", remedy, source)


def explain(field: str, text: str, source: str, message: str) -> Fault:
    """The fault of a value that the schema refuses."""
    about = Settings.model_fields[field].description if field in Settings.model_fields else ""
    problem = message[:1].lower() + message[1:]
    return Fault(PREFIX + field.upper(), text, problem, f"It means: {about}", source)


def unusable(field: str, text: str, source: str) -> Fault | None:
    """The fault of a text that the schema takes and nothing can use: a zone, an address, a module's name."""
    name = PREFIX + field.upper()
    if field in _SCHEMES and text.partition("://")[0].partition("+")[0] not in _SCHEMES[field]:
        schemes = ", ".join(_SCHEMES[field])
        return Fault(
            name, text, f"the address must start with one of {schemes}", f"Example: {_EXAMPLES[field]}", source
        )
    if field == "default_timezone" and not _is_zone(text):
        return Fault(name, text, "there is no such time zone", "Use an IANA name such as Europe/Berlin", source)
    if field == "jobs":
        wrong = [module.strip() for module in text.split(",") if module.strip() and not _is_module(module.strip())]
        if wrong:
            remedy = "Write importable modules with commas between, such as shop.jobs,billing.jobs"
            return Fault(name, text, f"{wrong[0]!r} is not the name of a module", remedy, source)
    return None


def unsafe(settings: Settings) -> list[Fault]:
    """Why production refuses to start; nothing in development."""
    if settings.environment != "production":
        return []
    name = f"{PREFIX}SECRET_KEY"
    remedy = "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
    if settings.secret_key is None:
        return [Fault(name, None, "production needs a secret key", remedy)]
    if len(settings.secret_key) < KEY_LENGTH:
        problem = f"it has {len(settings.secret_key)} characters, production needs {KEY_LENGTH} or more"
        return [Fault(name, settings.secret_key, problem, remedy)]
    return []


def _is_zone(text: str) -> bool:
    try:
        ZoneInfo(text.strip())
    except (KeyError, ValueError, OSError):
        return False
    return True


def _is_module(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))
