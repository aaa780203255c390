"""The settings of logins from outside: roles by group, and the proxies that log people in. Pure."""

from collections.abc import Iterable
from ipaddress import ip_address

from scheduler.settings.web_names import network

ROLES = ("viewer", "operator", "admin")
"""The roles of accounts in ascending order, repeated here because their floor is higher."""


def group_role(text: str) -> tuple[str, str]:
    """Return group and role of an entry of `GROUP_ROLES`. Raises ValueError with the fault."""
    group, mark, role = (part.strip() for part in text.rpartition("="))
    if not mark or not group:
        raise ValueError(f"{text!r} is not GROUP=ROLE, such as desk-admins=admin")
    if role not in ROLES:
        raise ValueError(f"{role!r} is none of {', '.join(ROLES)}")
    return group, role


def is_from(address: str, networks: Iterable[str]) -> bool:
    """Whether a network address lies in one of the networks. False for what is no address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    plain = parsed if mapped is None else mapped
    return any(plain in network(text) for text in networks)


def role_of_groups(groups: Iterable[str], entries: Iterable[str]) -> str | None:
    """Return the highest role that the entries of `GROUP_ROLES` give; None without a match."""
    member = set(groups)
    roles = {role for group, role in map(group_role, entries) if group in member}
    return max(roles, key=ROLES.index, default=None)
