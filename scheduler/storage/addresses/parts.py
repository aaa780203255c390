"""An address in its parts. Pure.

    scheme://user:password@host:port/path?name=value

RFC 3986 allows none of `# / ? [ ]` in a login unless percent-encoded, and each library reads an
address with one of them in another way: as a fragment, as a path, or with a part of the password as
the host. Such an address is refused.
"""

import re
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_HOST = re.compile(r"\[(?P<ipv6>[0-9A-Fa-f:.]+(?:%\w+)?)\]|(?P<name>[\w.-]*)")
_BLANK = re.compile(r"[\x00-\x20\x7f]")

NOT_ENCODED = (
    "its login is not percent-encoded: in a user's name or password, write %23 for #, %2F for /, "
    "%3A for :, %3F for ?, %40 for @, %5B for [, %5D for ] and %25 for %"
)


class AddressFault(ValueError):
    """An address cannot be used. The message shows nothing that may belong to a password."""


class Parts(NamedTuple):
    """The parts of an address, decoded; `port`, `username` and `password` are None where absent."""

    scheme: str
    username: str | None
    password: str | None
    host: str
    port: int | None
    path: str
    options: dict[str, str]


def split(address: str, options: frozenset[str]) -> Parts:
    """Return the parts of an address. Raises AddressFault.

    `options` are the names that may stand behind the `?`.
    """
    if _BLANK.search(address):
        raise AddressFault("a blank or a control character stands in it")
    scheme, mark, rest = address.partition("://")
    if not (mark and _SCHEME.fullmatch(scheme)):
        raise AddressFault("it does not begin with a scheme such as redis://")
    if "#" in rest:
        raise AddressFault(NOT_ENCODED)
    before, _, query = rest.partition("?")
    authority, slash, path = before.partition("/")
    if "@" in path or ("@" in query and "@" not in authority):
        raise AddressFault(NOT_ENCODED)
    login, at, place = authority.rpartition("@")
    if "[" in login or "]" in login:
        raise AddressFault(NOT_ENCODED)
    host, port = _host_and_port(place)
    user, colon, password = login.partition(":")
    return Parts(
        scheme.lower(),
        (unquote(user) or None) if at else None,
        unquote(password) if colon else None,
        host,
        port,
        unquote(f"{slash}{path}"),
        _options(query, options),
    )


def _host_and_port(place: str) -> tuple[str, int | None]:
    match = _HOST.match(place)
    rest = place[match.end() :] if match else place
    if match is None or (rest and not rest.startswith(":")):
        raise AddressFault("its host is not a name or an address such as 10.0.0.7 or [::1]")
    port = rest.removeprefix(":")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise AddressFault("its port is not a number from 1 to 65535")
    return match["ipv6"] or match["name"], int(port) if port else None


def _options(query: str, names: frozenset[str]) -> dict[str, str]:
    """Return the options behind the `?`. Raises AddressFault for unknown and doubled ones."""
    pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=100)
    found = dict(pairs)
    unknown = sorted(found.keys() - names)
    if unknown and "@" in query:
        raise AddressFault(NOT_ENCODED)
    if unknown:
        raise AddressFault(
            f"there is no option {unknown[0][:40]!r} behind its ?; possible are "
            f"{', '.join(sorted(names))}"
        )
    if len(found) < len(pairs):
        raise AddressFault("an option behind its ? stands there twice")
    return found


def whole_number(text: str, what: str) -> int:
    """Return a number of digits only. Raises AddressFault that calls the value `what`."""
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise AddressFault(f"{what} is not a number such as 0")
    return int(text)


def seconds(text: str, name: str) -> float:
    """Return the seconds of an option. Raises AddressFault."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= 86_400:
        raise AddressFault(f"{name} is not a number of seconds")
    return value


def yes_or_no(text: str, name: str) -> bool:
    """Return the value of an option that is true or false. Raises AddressFault."""
    lowered = text.lower()
    if lowered in ("1", "t", "true", "y", "yes", "on"):
        return True
    if lowered in ("0", "f", "false", "n", "no", "off"):
        return False
    raise AddressFault(f"{name} is neither true nor false")
