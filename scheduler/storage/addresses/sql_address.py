"""Addresses of PostgreSQL and SQLite: mistakes that would become another host. Pure.

SQLAlchemy ends the login of an address at the first @, and takes what follows for the host; libpq
ends it at the last. A password with an @ must therefore be percent-encoded.
"""

import re

from scheduler.storage.addresses.parts import NOT_ENCODED, AddressFault

_POSTGRES = re.compile(
    r"(?:(?P<user>[^:/]*)(?::(?P<password>[^@]*))?@)?"
    r"(?P<host>\[[^/?\]]+\]|[^/:?]*)(?::(?P<port>[^/?]*))?(?P<rest>.*)",
    re.DOTALL,
)
_HOSTS = re.compile(r"\[[0-9A-Fa-f:.]+\]|[\w.,%-]*")


def check(address: str) -> None:
    """Raise AddressFault for an address that names another host than it seems to."""
    scheme, mark, rest = address.partition("://")
    if not (mark and scheme.lower().startswith("postgres")):
        return
    match = _POSTGRES.fullmatch(rest)
    if match is None or "@" in match["host"] or "@" in match["rest"].partition("?")[0]:
        raise AddressFault(NOT_ENCODED)
    if not _HOSTS.fullmatch(match["host"]):
        raise AddressFault(NOT_ENCODED)
    port = match["port"]
    if port and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise AddressFault("its port is not a number from 1 to 65535")
