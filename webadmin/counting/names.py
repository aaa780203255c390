"""Names of counts. Redis holds no mail addresses, and a network counts as one client. Pure."""

from ipaddress import IPv6Address, ip_address

from scheduler.accounts.secret_texts import digest_of

LENGTH = 24
"""Hexadecimal digits of a name: 96 bits."""


def short_digest(text: str) -> str:
    """Return the beginning of the digest of a text."""
    return digest_of(text)[:LENGTH]


def network_of(address: str) -> str:
    """Return the network that counts as one client: an IPv4 address, or 64 bits of IPv6."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Address(int(parsed) >> 64 << 64)) + "/64"
