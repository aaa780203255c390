"""Where mails are given to, and as whom, as `SMTP_URL` and `MAIL_FROM` say it. Pure: texts in,
parts out.
"""

import re
from email.utils import parseaddr
from ipaddress import ip_address
from typing import Literal, NamedTuple
from urllib.parse import unquote, urlsplit

Security = Literal["none", "starttls", "tls"]

SCHEMES: dict[str, tuple[Security, int]] = {
    "smtp": ("none", 25),
    "smtp+starttls": ("starttls", 587),
    "smtps": ("tls", 465),
}
"""Scheme of `SMTP_URL` -> how the connection is secured, and the port where none is given."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?P<local>{_ATOM}(?:\.{_ATOM})*)@(?P<domain>{_LABEL}(?:\.{_LABEL})*)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")


class SmtpServer(NamedTuple):
    """The server that takes our mails."""

    host: str
    port: int
    security: Security
    user: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        """Without the password, for tracebacks and logs."""
        return f"SmtpServer({self.host}:{self.port}, {self.security}, user={self.user!r})"


def mail_address(text: str) -> str:
    """The text, if it is one plain address of RFC 5321. Raises ValueError.

    Quoted local parts, address literals and letters outside of ASCII are refused: hardly a server
    takes them, and they are what addresses that deceive are made of.
    """
    found = _ADDRESS.fullmatch(text) if isinstance(text, str) and len(text) <= 254 else None
    if found is None or len(found["local"]) > 64 or len(found["domain"]) > 253:
        raise ValueError(f"{str(text)[:100]!r} is not a mail address such as ada@example.org")
    return text


def sender(text: str) -> tuple[str, str]:
    """`MAIL_FROM`: an address, or a name with an address in angle brackets; the name may be
    empty.
    """
    if _CONTROL.search(text):
        raise ValueError("a sender is one line")
    name, address = parseaddr(text)
    return name, mail_address(address or text)


def smtp_server(url: str) -> SmtpServer:
    """`SMTP_URL`. Raises ValueError with what is wrong, and no password in it."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise ValueError(
            f"it must start with one of {', '.join(f'{scheme}://' for scheme in SCHEMES)}"
        )
    security, usual = SCHEMES[parts.scheme]
    try:
        port = parts.port or usual
    except ValueError:
        raise ValueError("its port is not a number from 1 to 65535") from None
    if not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(
            "it must be a scheme, user and password if any, a host and a port, and nothing behind"
        )
    user = None if parts.username is None else unquote(parts.username)
    password = None if parts.password is None else unquote(parts.password)
    if user is not None and security == "none" and not _is_this_machine(parts.hostname):
        raise ValueError("it would send the password unencrypted; use smtp+starttls:// or smtps://")
    return SmtpServer(parts.hostname, port, security, user, password)


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
