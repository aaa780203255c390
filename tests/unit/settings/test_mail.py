"""Where mails are given to, and as whom."""

import pytest

from scheduler.settings.smtp import SmtpServer, sender, smtp_server


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://localhost", SmtpServer("localhost", 25, "none")),
        ("smtp://ada:pw@127.0.0.1:2525", SmtpServer("127.0.0.1", 2525, "none", "ada", "pw")),
        ("smtp+starttls://mail.example.org/", SmtpServer("mail.example.org", 587, "starttls")),
        (
            "smtps://a%40b:p%2Fw%3A@mail.example.org",
            SmtpServer("mail.example.org", 465, "tls", "a@b", "p/w:"),
        ),
    ],
)
def test_an_address_names_a_server(url: str, server: SmtpServer) -> None:
    assert smtp_server(url) == server


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost",
        "http://localhost",
        "smtp://",
        "smtp://h:0x",
        "smtp://h:99999",
        "smtp://h/x",
        "smtp://u:hunter2@h",
    ],
)
def test_what_names_no_server_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="it") as refused:
        smtp_server(url)
    assert "hunter2" not in str(refused.value)


def test_the_password_is_not_shown() -> None:
    assert "hunter2" not in repr(smtp_server("smtps://ada:hunter2@mail.example.org"))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("desk@example.org", ("", "desk@example.org")),
        ("The Desk <desk@example.org>", ("The Desk", "desk@example.org")),
    ],
)
def test_a_sender_is_an_address_with_or_without_a_name(text: str, parts: tuple[str, str]) -> None:
    assert sender(text) == parts


@pytest.mark.parametrize(
    "text", ["desk", "<>", "a <b> <c@example.org>", "Desk\r\nBcc: x <desk@example.org>"]
)
def test_what_is_no_sender_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a mail address|one line"):
        sender(text)
