"""A real SMTP server on loopback, which takes or refuses mails as a test says."""

import contextlib
import ssl
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any, NamedTuple

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.support.ports import free_port

Judge = Callable[[int, str], str | None]
"""The server's answer to a recipient, from the number of the mail (from 1) and the address; None
accepts.
"""


class Taken(NamedTuple):
    """A mail that the server took."""

    sender: str
    to: list[str]
    mail: EmailMessage


class MailServer:
    """Takes and stores mails. `judge` may refuse recipients."""

    def __init__(self, judge: Judge | None = None, login: tuple[str, str] | None = None) -> None:
        self.taken: list[Taken] = []
        self.begun = 0
        self._judge = judge or (lambda number, address: None)
        self._login = login
        self.port = 0

    async def handle_MAIL(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        self.begun += 1
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        refusal = self._judge(self.begun, address)
        if refusal is not None:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        mail = BytesParser(policy=default).parsebytes(envelope.content)
        assert isinstance(mail, EmailMessage)
        self.taken.append(Taken(envelope.mail_from, list(envelope.rcpt_tos), mail))
        return "250 taken"

    def authenticate(
        self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any
    ) -> AuthResult:
        """aiosmtpd asks here whether a login is right."""
        given = (
            (data.login.decode(), data.password.decode())
            if isinstance(data, LoginPassword)
            else None
        )
        return AuthResult(success=given == self._login, handled=False)


@contextlib.contextmanager
def mail_server(
    judge: Judge | None = None,
    *,
    login: tuple[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
    starttls: ssl.SSLContext | None = None,
) -> Iterator[MailServer]:
    """A server for the time of a block."""
    server = MailServer(judge, login)
    options: dict[str, Any] = {}
    if login is not None:
        options = {
            "authenticator": server.authenticate,
            "auth_required": True,
            "auth_require_tls": False,
        }
    if starttls is not None:
        options |= {"tls_context": starttls, "require_starttls": True}
    controller = Controller(
        server, hostname="127.0.0.1", port=free_port(), ssl_context=tls, **options
    )
    controller.start()
    server.port = controller.port
    try:
        yield server
    finally:
        controller.stop()
