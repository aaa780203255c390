"""Hardening of the console: environment, secret key, hosts and proxies. Pure."""

from scheduler.health.hardening.servers import is_local_host
from scheduler.health.status import Part
from scheduler.settings import key_strength, web_names
from scheduler.settings.errors import PREFIX
from scheduler.settings.schema import Settings

WIDEST = {4: 16, 6: 48}
"""Fewest fixed bits of a network of proxies; each of its addresses may forge any other."""


def environment(settings: Settings) -> Part:
    """Whether the console is in production, where cookies are sent by HTTPS only."""
    ok = settings.environment == "production"
    return Part(
        name="environment",
        ok=ok,
        summary="production; cookies are sent by HTTPS only"
        if ok
        else "development; cookies are sent without HTTPS, too",
        remedy="" if ok else f"Set {PREFIX}ENVIRONMENT=production",
    )


def secret_key(settings: Settings) -> Part:
    """Whether the key that signs sessions can be guessed."""
    name = "secret key"
    if settings.secret_key is None:
        return Part(name=name, ok=False, summary="none", remedy=key_strength.REMEDY)
    problem = key_strength.weakness(settings.secret_key)
    if problem is not None:
        return Part(name=name, ok=False, summary=problem, remedy=key_strength.REMEDY)
    bits = key_strength.entropy_bits(settings.secret_key)
    length = len(settings.secret_key)
    return Part(name=name, ok=True, summary=f"{length} characters, at most {bits:.0f} bits")


def hosts(settings: Settings) -> Part:
    """Whether the console is served under its own names only."""
    named = ", ".join(settings.allowed_hosts)
    if named:
        return Part(name="hosts", ok=True, summary=named)
    if settings.environment != "production":
        return Part(name="hosts", ok=True, summary="names of this machine only")
    return Part(
        name="hosts",
        ok=False,
        summary="none named",
        remedy=f"Name the host of the console's address in {PREFIX}ALLOWED_HOSTS",
    )


def proxies(settings: Settings) -> Part:
    """Whether a proxy with TLS is in front, and few addresses may name the visitor's address."""
    named = ", ".join(settings.trusted_proxies)
    wide = [text for text in settings.trusted_proxies if _is_wide(text)]
    if wide:
        return Part(
            name="proxies",
            ok=False,
            summary=f"{', '.join(wide)}: each address in there may pass for any visitor",
            remedy=f"Name the proxies themselves in {PREFIX}TRUSTED_PROXIES",
        )
    if named:
        return Part(name="proxies", ok=True, summary=named)
    if settings.environment != "production" and is_local_host(settings.web_host):
        return Part(name="proxies", ok=True, summary="none, served on this machine")
    return Part(
        name="proxies",
        ok=False,
        summary="none: the console itself has no TLS",
        remedy="Put a reverse proxy with TLS in front of it, and name its address in "
        f"{PREFIX}TRUSTED_PROXIES",
    )


def _is_wide(text: str) -> bool:
    network = web_names.proxy(text)
    return network is not None and network.prefixlen < WIDEST[network.version]
