"""Names in the settings of the console: proxies, hosts. Pure."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network

UNIX = "unix"
"""The proxy that connects through a Unix socket, and so has no address."""

_HOST = re.compile(r"\.?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_-]{1,63}\.?")


def network(text: str) -> Network:
    """Return the network of an address or network, where an address is a network of one.

    Raises ValueError with the fault.
    """
    try:
        found = ip_network(text.strip())
    except ValueError as error:
        raise ValueError(f"{text!r} is no address and no network: {error}") from None
    if found.prefixlen == 0:
        raise ValueError(
            f"{text!r} is every address there is: everybody could forge an address; "
            "name the proxies"
        )
    return found


def proxy(text: str) -> Network | None:
    """Return the network of a trusted proxy; None for UNIX. Raises ValueError with the fault."""
    return None if text == UNIX else network(text)


def host(text: str) -> str:
    """Return a host name in small letters, `.example.org` for all names below. Raises ValueError.

    An address is a host too; IPv6 may stand in brackets.
    """
    name = text.strip().lower()
    if (address := _address(name)) is not None:
        return address
    if len(name) > 253 or not _HOST.fullmatch(name):
        raise ValueError(f"{text!r} is no host name; write it without scheme, port and path")
    return name.removesuffix(".")


def _address(name: str) -> str | None:
    try:
        return str(ip_address(name.strip("[]")))
    except ValueError:
        return None
