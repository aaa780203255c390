"""Addresses without their passwords, for messages, pages and logs. Pure."""

import re

MASK = "***"

_PASSWORD_IN_QUERY = re.compile(r"(?P<name>[?&](?:ssl_?)?password=)[^&]*", re.IGNORECASE)
_NEXT_ADDRESS = re.compile(r";(?=[A-Za-z][A-Za-z0-9+.-]*://)")
_NAME = re.compile(r"[\w.+-]*")
_PLACE = re.compile(r"(?:\[[0-9A-Fa-f:.%]+\]|[\w.,-]*)(?::[0-9]{1,5})?")


def without_password(address: str) -> str:
    """Return an address with the password hidden: `redis://:***@host`.

    Several addresses with `;` between are taken one by one. A password that is not percent-encoded
    is hidden too: everything up to the last @ is the login, and where there is no @, a host or port
    that is none may be a password.
    """
    return ";".join(map(_without_password, _NEXT_ADDRESS.split(address)))


def _without_password(address: str) -> str:
    address = _PASSWORD_IN_QUERY.sub(rf"\g<name>{MASK}", address)
    scheme, mark, rest = address.partition("://")
    if not mark:
        return address
    login, at, place = rest.rpartition("@")
    if not at:
        authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
        return address if _PLACE.fullmatch(authority) else f"{scheme}://{MASK}"
    user, colon, _ = login.partition(":")
    if not _NAME.fullmatch(user):
        user, colon = MASK, ""
    return f"{scheme}://{user}{f':{MASK}' if colon else ''}@{place}"
