"""What a mail is made of, and what cannot be one."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from scheduler.errors import Refused
from scheduler.outgoing.letters import (
    LARGEST_ATTACHMENTS,
    Attachment,
    Letter,
    composed,
    message_id,
    recipients,
    subject_line,
)

NOW = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
FROM = ("Beatdesk", "desk@example.org")


def read_back(letter: Letter, sender: tuple[str, str] = FROM) -> EmailMessage:
    mail = composed(letter, sender=sender, identity="<run@example.org>", now=NOW)
    read = message_from_bytes(mail.as_bytes(), policy=default)
    assert isinstance(read, EmailMessage)
    return read


def test_a_mail_says_who_what_and_when() -> None:
    mail = read_back(Letter(["ada@example.org", "grace@example.org"], "Übersicht ✓", "Grüße\n"))
    assert mail["From"] == "Beatdesk <desk@example.org>"
    assert mail["To"] == "ada@example.org, grace@example.org"
    assert mail["Subject"] == "Übersicht ✓"
    assert mail["Date"].datetime == NOW
    assert mail["Message-ID"] == "<run@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().replace("\r\n", "\n") == "Grüße\n"


def test_html_stands_beside_the_text_and_files_behind_both() -> None:
    files = [
        Attachment("jobs, November.csv", "text/csv", b"a;b\r\n"),
        Attachment("ünter.pdf", "application/pdf", b"%PDF"),
    ]
    mail = read_back(Letter(["ada@example.org"], "s", "plain", "<p>rich</p>", files))
    plain, rich = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert rich is not None
    assert plain.get_content().strip() == "plain"
    assert rich.get_content().strip() == "<p>rich</p>"
    attached = [
        (part.get_filename(), part.get_content_type(), part.get_payload(decode=True))
        for part in mail.iter_attachments()
    ]
    assert attached == [
        ("jobs, November.csv", "text/csv", b"a;b\r\n"),
        ("ünter.pdf", "application/pdf", b"%PDF"),
    ]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ada",
        "@example.org",
        "ada@",
        "ada@example..org",
        "ada@-example.org",
        "ada.@example.org",
        "ada@example.org, eve@example.org",
        "ada@example.org\r\nBcc: eve@example.org",
        "ada@example.org\n",
        "Ada <ada@example.org>",
        '"a b"@example.org',
        "ada@[127.0.0.1]",
        "ada@exämple.org",
        "a" * 65 + "@example.org",
        "ada@" + "a." * 126 + "org",
        "ada@example.org\0",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(Refused) as refused:
        recipients(["grace@example.org", address])
    assert refused.value.field == "to"


@pytest.mark.parametrize("count", [0, 51])
def test_a_mail_goes_to_somebody_and_not_to_everybody(count: int) -> None:
    with pytest.raises(Refused, match="to: "):
        recipients([f"p{number}@example.org" for number in range(count)])


def test_an_address_that_stands_twice_gets_one_mail() -> None:
    assert recipients(["ada@example.org", "grace@example.org", "ada@example.org"]) == [
        "ada@example.org",
        "grace@example.org",
    ]


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "  ",
        "a\nBcc: eve@example.org",
        "a\r\n b",
        "a\x0bb",
        "a\u2028b",
        "a\x85b",
        "x" * 201,
        "a\0",
    ],
)
def test_a_subject_is_one_line(subject: str) -> None:
    with pytest.raises(Refused) as refused:
        subject_line(subject)
    assert refused.value.field == "subject"


@pytest.mark.parametrize("name", ["../x.csv", "a\nb.csv", "a/b.csv", "", 'a"b.csv'])
def test_an_attachment_has_the_name_of_a_file(name: str) -> None:
    with pytest.raises(Refused, match="attachments"):
        read_back(Letter(["ada@example.org"], "s", "t", None, [Attachment(name, "text/csv", b"")]))


def test_attachments_are_bounded() -> None:
    half = Attachment("a.bin", "application/octet-stream", b"x" * (LARGEST_ATTACHMENTS // 2 + 1))
    with pytest.raises(Refused, match="more than 20 MB"):
        read_back(Letter(["ada@example.org"], "s", "t", None, [half, half]))


def test_the_id_is_the_runs_and_the_same_each_time() -> None:
    assert (
        message_id("8c7f-1", "desk@example.org")
        == message_id("8c7f-1", "desk@example.org")
        == "<8c7f-1@example.org>"
    )
    assert message_id("8c7f-1", "desk@example.org", "weekly") == "<8c7f-1-weekly@example.org>"
    assert message_id("<a>@\r\nb", "desk@example.org") == "<a----b@example.org>"
