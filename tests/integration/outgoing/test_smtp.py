"""Mails to a real SMTP server on loopback."""

import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from scheduler.outgoing.letters import Letter, composed
from scheduler.outgoing.smtp import MailDeferred, MailRefused, give
from scheduler.settings.smtp import SmtpServer
from tests.support.listeners import certificate
from tests.support.mail_server import mail_server
from tests.support.ports import free_port

FROM = "desk@example.org"
NOW = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)


def letter(*to: str) -> EmailMessage:
    return composed(
        Letter(to, "Übersicht", "Grüße"), sender=("", FROM), identity="<run@example.org>", now=NOW
    )


def refusing(answers: dict[str, str]) -> Callable[[int, str], str | None]:
    return lambda number, address: answers.get(address.partition("@")[0])


def test_a_mail_arrives_as_it_was_written() -> None:
    with mail_server() as server:
        give(
            SmtpServer("127.0.0.1", server.port, "none"),
            letter("ada@example.org"),
            FROM,
            ["ada@example.org"],
        )
    (taken,) = server.taken
    assert (taken.sender, taken.to) == (FROM, ["ada@example.org"])
    assert (taken.mail["Subject"], taken.mail["Message-ID"]) == ("Übersicht", "<run@example.org>")
    assert taken.mail.get_content().strip() == "Grüße"


@pytest.mark.parametrize(
    ("answers", "kind", "left", "delivered"),
    [
        (
            {"ada": "451 later", "grace": "450 later"},
            MailDeferred,
            ["ada@x.org", "grace@x.org"],
            [],
        ),
        ({"ada": "451 later"}, MailDeferred, ["ada@x.org"], [["grace@x.org"]]),
        ({"ada": "550 no such user", "grace": "550 nor this"}, MailRefused, None, []),
        ({"ada": "550 no such user"}, MailRefused, None, [["grace@x.org"]]),
        ({"ada": "550 no such user", "grace": "451 later"}, MailRefused, None, []),
    ],
)
def test_what_the_server_says_of_each_recipient_decides(
    answers: dict[str, str],
    kind: type[Exception],
    left: list[str] | None,
    delivered: list[list[str]],
) -> None:
    to = ["ada@x.org", "grace@x.org"]
    with mail_server(refusing(answers)) as server, pytest.raises(kind) as raised:
        give(SmtpServer("127.0.0.1", server.port, "none"), letter(*to), FROM, to)
    assert getattr(raised.value, "left", None) == left
    assert [taken.to for taken in server.taken] == delivered
    for name, answer in answers.items():
        assert f"{name}@x.org: {answer}" in str(raised.value)
    if delivered:
        assert "it took the mail for grace@x.org" in str(raised.value)


def test_nobody_who_listens_is_worth_another_attempt() -> None:
    port = free_port()
    with pytest.raises(MailDeferred, match=f"127.0.0.1:{port}: the connection was refused"):
        give(SmtpServer("127.0.0.1", port, "none"), letter("ada@x.org"), FROM, ["ada@x.org"])


def test_a_mail_goes_over_tls_to_the_server_of_that_name_only(tmp_path: Path) -> None:
    server_side, file = certificate(tmp_path, "localhost")
    trust = ssl.create_default_context(cafile=str(file))
    for security, options in (
        ("tls", {"tls": server_side}),
        ("starttls", {"starttls": server_side}),
    ):
        with mail_server(**options) as server:

            def over(
                host: str,
                trusted: ssl.SSLContext | None,
                port: int = server.port,
                how: str = security,
            ) -> None:
                named = SmtpServer(host, port, how)  # type: ignore[arg-type] # one of the words
                give(named, letter("ada@x.org"), FROM, ["ada@x.org"], trust=trusted)

            over("localhost", trust)
            with pytest.raises(MailRefused, match=r"certificate is not valid for '127\.0\.0\.1'"):
                over("127.0.0.1", trust)
            with pytest.raises(MailRefused, match="self"):
                over("localhost", None)
        assert len(server.taken) == 1, security


def test_a_server_without_tls_gets_no_mail_where_tls_is_asked_for() -> None:
    with mail_server() as server, pytest.raises(MailRefused, match="STARTTLS"):
        give(
            SmtpServer("127.0.0.1", server.port, "starttls"),
            letter("ada@x.org"),
            FROM,
            ["ada@x.org"],
        )
    assert server.taken == []


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_a_login_is_made_where_it_is_given_and_its_password_is_in_no_error() -> None:
    with mail_server(login=("ada", "hunter2")) as server:
        right = SmtpServer("127.0.0.1", server.port, "none", "ada", "hunter2")
        give(right, letter("ada@x.org"), FROM, ["ada@x.org"])
        with pytest.raises(MailRefused, match="answered 535") as refused:
            give(right._replace(password="hunter3"), letter("ada@x.org"), FROM, ["ada@x.org"])
        with pytest.raises(MailRefused, match="530"):
            give(right._replace(user=None), letter("ada@x.org"), FROM, ["ada@x.org"])
    assert "hunter" not in str(refused.value)
    assert len(server.taken) == 1
