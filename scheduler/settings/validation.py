"""Checks of settings beyond their types. Pure: from texts and settings to faults with remedies."""

from collections.abc import Callable
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from scheduler.settings import (
    http_allowlist,
    job_limits,
    keeping,
    key_strength,
    secret_uses,
    sign_on,
    smtp,
    web_names,
)
from scheduler.settings.errors import PREFIX, SettingFault
from scheduler.settings.schema import Settings
from scheduler.storage.addresses import broker, redis_address, sentinels, sql_address

_SCHEMES = {
    "redis_url": (*sorted(redis_address.SCHEMES), "sentinel"),
    "database_url": ("sqlite", "postgresql", "postgres"),
    "report_dsn": ("sqlite", "postgresql", "postgres"),
    "cleanup_dsn": ("sqlite", "postgresql", "postgres"),
}
_EXAMPLES = {
    "redis_url": "redis://:password@host:6379/0, or sentinel://:password@one:26379;sentinel://two:26379",
    "broker_url": "amqps://user:password@host/, or as for BEATDESK_REDIS_URL",
    "database_url": "postgresql://user:password@host/beatdesk",
    "report_dsn": "postgresql://reader:password@host/shop, or sqlite:////folder/shop.sqlite3",
    "cleanup_dsn": "postgresql://cleaner:password@host/shop, or sqlite:////folder/shop.sqlite3",
}
_ENTRIES: dict[str, tuple[Callable[[str], object], str]] = {
    "file_roots": (
        job_limits.file_root,
        "Write folders with commas between, such as /srv/exports,/srv/uploads",
    ),
    "cleanup_sql_rows": (
        job_limits.sql_rows,
        "Example: sessions.created_at 30d,shop.audit.at 365d",
    ),
    "cleanup_redis_keys": (job_limits.redis_keys, "Example: session:* 7d,cache:page:* 12h"),
    "history_keep": (
        keeping.keep_rule,
        "Example: succeeded 30d,failed 90d,nightly-report:all 365d",
    ),
    "secret_uses": (
        secret_uses.secret_use,
        "Example: shop-token http.request:headers@shop.example,mail-key shop.jobs.sync",
    ),
    "group_roles": (sign_on.group_role, "Example: desk-admins=admin,operations=operator"),
    "proxy_login_from": (web_names.network, "Example: 127.0.0.1,10.1.2.0/24"),
    "trusted_proxies": (web_names.proxy, "Example: 10.0.0.5,10.1.0.0/24"),
    "allowed_hosts": (web_names.host, "Example: desk.example.org"),
    "http_allow": (http_allowlist.entry, "Example: intranet.example:8080,10.1.0.0/16"),
}
LISTS = frozenset({"jobs", *_ENTRIES})
"""Settings that are lists, with commas between."""

NO_CLUSTER = (
    "Name a single Redis or Valkey, or Redis Sentinels; a broker may also be RabbitMQ, "
    "amqp://user:password@host//"
)
"""The remedy for an address of a Redis Cluster."""


def _check_redis(address: str) -> None:
    """Raise AddressFault for an address of Redis or Sentinel that cannot be used."""
    if sentinels.is_sentinel(address):
        sentinels.read(address)
    else:
        redis_address.read(address)


_SINGLE: dict[str, tuple[Callable[[str], object], str]] = {
    "redis_url": (_check_redis, f"Example: {_EXAMPLES['redis_url']}"),
    "broker_url": (broker.check, f"Example: {_EXAMPLES['broker_url']}"),
    "result_backend": (broker.check, f"Example: {_EXAMPLES['redis_url']}"),
    "database_url": (sql_address.check, f"Example: {_EXAMPLES['database_url']}"),
    "report_dsn": (sql_address.check, f"Example: {_EXAMPLES['report_dsn']}"),
    "cleanup_dsn": (sql_address.check, f"Example: {_EXAMPLES['cleanup_dsn']}"),
    "smtp_url": (smtp.smtp_server, "Example: smtp+starttls://user:password@mail.example.org:587"),
    "mail_from": (smtp.sender, "Example: Beatdesk <desk@example.org>"),
}


def unknown(name: str, source: str) -> SettingFault:
    """Return the fault of an unknown name with the prefix `BEATDESK_`, with the closest setting."""
    names = [PREFIX + field.upper() for field in Settings.model_fields]
    near = get_close_matches(name.upper().removesuffix("_FILE"), names, n=1, cutoff=0.6)
    remedy = (
        f"Did you mean {near[0]}?" if near else f"Remove it; the settings are {', '.join(names)}"
    )
    return SettingFault(name, None, f"there is no such setting ({source})", remedy, source)


def explain(field: str, text: str, source: str, message: str) -> SettingFault:
    """Return the fault of a value that the schema refuses with `message`."""
    about = Settings.model_fields[field].description if field in Settings.model_fields else ""
    problem = message[:1].lower() + message[1:]
    return SettingFault(PREFIX + field.upper(), text, problem, f"It means: {about}", source)


def unusable(field: str, text: str, source: str) -> SettingFault | None:
    """Return the fault of a text that fits the schema and cannot be used; None without a fault.

    For zones, addresses, entries of lists and names of modules.
    """
    name = PREFIX + field.upper()
    if fault := _bad_address(field, text, source):
        return fault
    if field == "default_timezone" and not _is_zone(text):
        return SettingFault(
            name,
            text,
            "there is no such time zone",
            "Use an IANA name such as Europe/Berlin",
            source,
        )
    if field in _SINGLE:
        return _bad_value(field, text, source)
    if field in _ENTRIES:
        return _bad_entry(field, text, source)
    if field == "jobs":
        wrong = [
            module.strip()
            for module in text.split(",")
            if module.strip() and not _is_module(module.strip())
        ]
        if wrong:
            remedy = "Write importable modules with commas between, such as shop.jobs,billing.jobs"
            return SettingFault(
                name, text, f"{wrong[0]!r} is not the name of a module", remedy, source
            )
    return None


def _bad_value(field: str, text: str, source: str) -> SettingFault | None:
    read, remedy = _SINGLE[field]
    try:
        read(text)
    except ValueError as error:
        return SettingFault(PREFIX + field.upper(), text, str(error), remedy, source)
    return None


def _bad_address(field: str, text: str, source: str) -> SettingFault | None:
    """The fault of an address with a scheme that the setting does not support."""
    name = PREFIX + field.upper()
    scheme = text.partition("://")[0]
    if field in ("redis_url", "broker_url") and "cluster" in scheme.lower():
        problem = "Redis Cluster cannot be used: Celery (kombu) has no transport for it"
        return SettingFault(name, text, problem, NO_CLUSTER, source)
    if (
        field in _SCHEMES
        and scheme not in _SCHEMES[field]
        and scheme.partition("+")[0] not in _SCHEMES[field]
    ):
        problem = f"the address must start with one of {', '.join(_SCHEMES[field])}"
        return SettingFault(name, text, problem, f"Example: {_EXAMPLES[field]}", source)
    return None


def entries(text: str) -> tuple[str, ...]:
    """Return the parts of a comma-separated list; empty parts are left out."""
    return tuple(filter(None, (entry.strip() for entry in text.split(","))))


def unsafe(settings: Settings) -> list[SettingFault]:
    """Return the faults with which production refuses to start; empty in development."""
    return (
        [*_weak_key(settings), *_shared_dsn(settings), *_open_starter(settings)]
        if settings.environment == "production"
        else []
    )


def _shared_dsn(settings: Settings) -> list[SettingFault]:
    """The fault of a report login shared with the history or the cleanup.

    A report can do everything open to its login: the login of the history reads hashes of
    passwords, and writes.
    """
    if settings.report_dsn is None or settings.report_dsn not in (
        settings.database_url,
        settings.cleanup_dsn,
    ):
        return []
    problem = "it is the address of the history, or of the cleanup, whose login may write"
    remedy = "Make a login that may only read what reports are to show, and name it in this setting"
    return [SettingFault(f"{PREFIX}REPORT_DSN", settings.report_dsn, problem, remedy)]


def _open_starter(settings: Settings) -> list[SettingFault]:
    """The fault of tutorial endpoints that are open to everybody."""
    if not settings.starter_endpoints or settings.starter_token is not None:
        return []
    problem = "production serves the tutorial's endpoints with a token only"
    remedy = (
        "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))', or take "
        f"{PREFIX}STARTER_ENDPOINTS away"
    )
    return [SettingFault(f"{PREFIX}STARTER_TOKEN", None, problem, remedy)]


def hostless(settings: Settings) -> list[SettingFault]:
    """Return the fault with which the console refuses to start in production."""
    if settings.environment != "production" or settings.allowed_hosts:
        return []
    problem = "production serves the console under named hosts only"
    remedy = "Name the host in the address of the console, such as desk.example.org"
    return [SettingFault(f"{PREFIX}ALLOWED_HOSTS", None, problem, remedy)]


def _weak_key(settings: Settings) -> list[SettingFault]:
    name = f"{PREFIX}SECRET_KEY"
    if settings.secret_key is None:
        return [SettingFault(name, None, "production needs a secret key", key_strength.REMEDY)]
    problem = key_strength.weakness(settings.secret_key)
    if problem is None:
        return []
    return [SettingFault(name, settings.secret_key, problem, key_strength.REMEDY)]


def _is_zone(text: str) -> bool:
    try:
        ZoneInfo(text.strip())
    except (KeyError, ValueError, OSError):
        return False
    return True


def _is_module(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def _bad_entry(field: str, text: str, source: str) -> SettingFault | None:
    """The fault of the first unusable entry of a list; None without a fault."""
    read, example = _ENTRIES[field]
    for entry in entries(text):
        try:
            read(entry)
        except ValueError as error:
            return SettingFault(PREFIX + field.upper(), text, str(error), example, source)
    return None
