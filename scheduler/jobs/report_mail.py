"""Mails with stored reports, for jobs with the parameter `mail_to`; files too large for the mail
are left out.

The report is stored first, and stays whatever happens to the mail. After a temporary refusal by the
server a run of `mail.send` tries again, so the report is not made a second time.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from scheduler.errors import Refused
from scheduler.events.schema import ReportStored
from scheduler.history.queries.views import ReportView
from scheduler.job import run
from scheduler.outgoing.letters import LARGEST_ATTACHMENTS, MOST_RECIPIENTS, recipients
from scheduler.outgoing.mailing import attached, send
from scheduler.outgoing.smtp import MailDeferred
from scheduler.outgoing.templates import from_template
from scheduler.services.services import Services

MailTo = Annotated[
    list[str],
    Field(
        max_length=MOST_RECIPIENTS,
        description="Addresses to send the files to; by default none",
    ),
]


def refuse_unmailable(services: Services, to: Sequence[str]) -> None:
    """Raise Refused for invalid recipients or a missing mail server, before the report is made."""
    if to:
        recipients(to)
        if services.settings.smtp_url is None:
            raise Refused(
                "mail_to: there is no server for mails; set BEATDESK_SMTP_URL for the workers",
                field="mail_to",
            )


def mail(
    services: Services, stored: Sequence[ReportStored], to: Sequence[str], text: str, now: datetime
) -> dict[str, Any]:
    """Mail the stored files. Returns the mail's part of the run's result; {} without recipients.

    `text` is the body. Raises Refused and MailRefused as `mailing.send`.
    """
    if not to:
        return {}
    small = _that_fit(stored)
    title = stored[0].title
    names = [each.path.rpartition("/")[2].partition("-")[2] for each in stored]
    if len(small) < len(stored):
        text = f"{text} Files too large for a mail are under Reports in the console."
    context = {"title": title, "text": text, "files": names}
    files = tuple(attached(services.settings.reports_dir, _view(each)) for each in small)
    letter = from_template(
        "report", context, to=list(to), folder=services.settings.mail_templates, attachments=files
    )
    try:
        return {
            "mail": send(services.settings, letter, run=run.id or "by-hand", key="report", now=now)
        }
    except MailDeferred as deferred:
        left = list(to) if deferred.left is None else deferred.left
        kwargs = {
            "to": left,
            "template": "report",
            "context": context,
            "reports": [each.report for each in small],
        }
        again = services.celery.send_task(
            "mail.send", kwargs=kwargs, countdown=services.settings.mail_retry_seconds
        )
        return {"mail_again": str(again.id), "mail_problem": str(deferred)}


def _that_fit(stored: Sequence[ReportStored]) -> list[ReportStored]:
    """The files that fit into one mail together, in order."""
    fitting: list[ReportStored] = []
    for each in stored:
        if sum(other.size for other in fitting) + each.size <= LARGEST_ATTACHMENTS:
            fitting.append(each)
    return fitting


def _view(stored: ReportStored) -> ReportView:
    """The report as a record of the future history."""
    fields = stored.model_dump(
        include={"title", "path", "media_type", "size", "sha256", "keep_until"}
    )
    return ReportView(id=stored.report, run_id=stored.run, created_at=stored.at, **fields)
