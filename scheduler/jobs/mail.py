"""The job for mails."""

from typing import Any

from celery import Task
from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from scheduler.clock import utc_now
from scheduler.job import job
from scheduler.outgoing.letters import MOST_RECIPIENTS, Letter, recipients
from scheduler.outgoing.mailing import attached, send
from scheduler.outgoing.smtp import MailDeferred
from scheduler.outgoing.templates import from_template
from scheduler.rules.policies import backoff
from scheduler.services.process import current_services
from scheduler.services.services import Services

RETRIES = 3
"""Further attempts where the server refuses a mail for now."""


class Mail(BaseModel):
    """A mail: a template and its data, or a subject and a text."""

    model_config = ConfigDict(extra="forbid")

    to: list[str] = Field(
        min_length=1, max_length=MOST_RECIPIENTS, description="Addresses of the recipients"
    )
    template: str = Field(
        default="", description="Name of a template; welcome and report are built in"
    )
    context: dict[str, JsonValue] = Field(default={}, description="Data for the template")
    subject: str = Field(default="", description="Subject of a mail without a template")
    text: str = Field(default="", description="Text of a mail without a template")
    reports: list[str] = Field(
        default=[], max_length=20, description="Ids of stored reports to attach"
    )

    @model_validator(mode="after")
    def _says_something(self) -> "Mail":
        if bool(self.template) == bool(self.subject):
            raise ValueError("give either a template or a subject and a text")
        return self


@job("mail.send", title="Send a mail", params=Mail, retries=RETRIES, soft_time_limit=120, bind=True)
def send_mail(task: Task[..., Any], mail: Mail) -> dict[str, Any]:
    """Send a mail over the server of BEATDESK_SMTP_URL.

    A mail has a template and its data, or a subject and a text; stored reports may be attached.
    After a temporary refusal by the server three more attempts follow, the first after
    BEATDESK_MAIL_RETRY_SECONDS, each later one after twice as long, for the remaining recipients. A
    permanent refusal fails the run at once.
    """
    services = current_services()
    request = task.request
    run = str(request.id or "by-hand")
    try:
        identity = send(services.settings, letter_of(mail, services), run=run, now=utc_now())
    except MailDeferred as deferred:
        wait = backoff.delay(request.retries + 1, services.settings.mail_retry_seconds, run)
        kwargs = dict(request.kwargs or {}) | (
            {} if deferred.left is None else {"to": deferred.left}
        )
        raise task.retry(
            kwargs=kwargs, exc=deferred, countdown=wait, max_retries=RETRIES
        ) from deferred
    return {"message_id": identity, "to": recipients(mail.to)}


def letter_of(mail: Mail, services: Services) -> Letter:
    """The letter of the job's parameters. Raises Refused or NotFound with the wrong parameter."""
    files = tuple(
        attached(services.settings.reports_dir, services.history.report(report))
        for report in mail.reports
    )
    if not mail.template:
        return Letter(mail.to, mail.subject, mail.text, None, files)
    return from_template(
        mail.template,
        mail.context,
        to=mail.to,
        folder=services.settings.mail_templates,
        attachments=files,
    )
