"""The mail server and the sender: the settings `SMTP_URL` and `MAIL_FROM`. Pure."""

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
"""The security and the default port of a connection, by the scheme of `SMTP_URL`."""

LONGEST_SENDER = 500
"""Characters of a sender's name and address."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?P<local>{_ATOM}(?:\.{_ATOM})*)@(?P<domain>{_LABEL}(?:\.{_LABEL})*)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")


class SmtpServer(NamedTuple):
    """The server that accepts mails."""

    host: str
    port: int
    security: Security
    user: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        """The server without the password, for tracebacks and logs."""
        return f"SmtpServer({self.host}:{self.port}, {self.security}, user={self.user!r})"


def mail_address(text: str) -> str:
    """Return the text of a plain mail address (RFC 5321). Raises ValueError for other texts.

    Quoted local parts, address literals and letters outside ASCII are refused: hardly a server
    accepts such addresses, and deceptive addresses are made of them.
    """
    match = _ADDRESS.fullmatch(text) if isinstance(text, str) and len(text) <= 254 else None
    if match is None or len(match["local"]) > 64 or len(match["domain"]) > 253:
        raise ValueError(f"{str(text)[:100]!r} is not a mail address such as ada@example.org")
    return text


def sender(text: str) -> tuple[str, str]:
    """Return (name, address) of `MAIL_FROM`; the name may be empty. Raises ValueError.

    The setting is an address, or a name with an address in angle brackets.
    """
    if _CONTROL.search(text):
        raise ValueError("a sender is one line")
    if len(text) > LONGEST_SENDER:
        raise ValueError(f"a sender has at most {LONGEST_SENDER} characters")
    try:
        name, address = parseaddr(text)
    except RecursionError:
        raise ValueError(f"{text[:40]!r} is not a sender; its brackets are nested") from None
    return name, mail_address(address or text)


def smtp_server(url: str) -> SmtpServer:
    """Return the server of `SMTP_URL`. Raises ValueError with the fault, without the password."""
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
