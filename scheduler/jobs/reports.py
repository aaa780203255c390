"""The job for reports on the history: runs by schedule and tag, stored as files."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from scheduler.clock import utc_now
from scheduler.errors import UnknownZone
from scheduler.history.queries.outcomes import Outcomes
from scheduler.job import job, run
from scheduler.jobs.parameters import KeepDays, Parameters
from scheduler.jobs.periods import Period, Unit, last_days, last_whole
from scheduler.jobs.report_files import ReportFiles
from scheduler.jobs.report_mail import MailTo, mail, refuse_unmailable
from scheduler.jobs.summary import Line, Summary, as_csv, as_html
from scheduler.jobs.summary_pdf import as_pdf
from scheduler.rules.time.zones import zone as zone_of
from scheduler.services.process import current_services
from scheduler.services.services import Services

MOST_DAYS = 366
USUAL_DAYS = 30
"""Days before the report's period from which the usual durations are taken."""

MEDIA_TYPES = {"html": "text/html", "csv": "text/csv", "pdf": "application/pdf"}


class JobSummary(Parameters):
    """Parameters of `reports.job_summary`."""

    period: Unit | None = Field(
        default=None,
        description="The last whole day, week (from Monday) or month before the run was due; day "
        "if empty",
    )
    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] | None = Field(
        default=None,
        description="Instead of a period: so many times 24 hours before the run was due",
    )
    timezone: str | None = Field(
        default=None,
        description="IANA zone in which days begin; BEATDESK_DEFAULT_TIMEZONE if empty",
    )
    formats: Annotated[list[Literal["html", "csv", "pdf"]], Field(min_length=1, max_length=3)] = (
        Field(
            default=["html", "csv"],
            description="Files to make: html to read, csv for programs, pdf for paper",
        )
    )
    late_after: Annotated[int, Field(ge=1, le=86_400)] = Field(
        default=60, description="Seconds after its tick from which a start counts as late"
    )
    keep_days: KeepDays = 90
    mail_to: MailTo = []

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, timezone: str | None) -> str | None:
        try:
            return None if timezone is None else zone_of(timezone).key
        except UnknownZone as error:
            raise ValueError(str(error)) from None

    @model_validator(mode="after")
    def _is_one_time(self) -> "JobSummary":
        if self.period is not None and self.days is not None:
            raise ValueError("give a period or days, not both")
        return self


@job("reports.job_summary", params=JobSummary, queue="bulk")
def job_summary(params: JobSummary) -> dict[str, Any]:
    """Job summary.

    Runs, failures, late and missed ticks, and durations against the usual, by schedule and tag.

    The period is counted back from the run's due time, so a late or repeated run reports on the
    same days.
    """
    services = current_services()
    now = utc_now()
    refuse_unmailable(services, params.mail_to)
    zone = zone_of(params.timezone or services.settings.default_timezone)
    summary = counted(services, period_of(params, run.tick or now, zone), params.late_after)
    made = {
        "html": lambda: as_html(summary).encode(),
        "csv": lambda: as_csv(summary),
        "pdf": lambda: as_pdf(summary),
    }
    keep_until = now + timedelta(days=params.keep_days)
    formats = list(dict.fromkeys(params.formats))
    with ReportFiles(services.settings.reports_dir, services.events).batch(
        run=run.id, keep_until=keep_until, now=now
    ) as batch:
        for done, format in enumerate(formats):
            run.progress(done, len(formats), format)
            with batch.file(summary.title, f"job-summary.{format}", MEDIA_TYPES[format]) as file:
                file.write(made[format]())
    run.progress(len(formats), len(formats), "stored")
    stored = [
        {"report": each.report, "path": each.path, "size": each.size} for each in batch.stored
    ]
    totals = summary.totals
    words = (
        f"{totals['runs']:,} runs, {totals['failed']:,} failed, {totals['missed']:,} missed, "
        f"{totals['late']:,} late."
    )
    mailed = mail(services, batch.stored, params.mail_to, words, now)
    return {"schedules": len(summary.lines), **totals, "files": stored, **mailed}


def period_of(params: JobSummary, due: datetime, zone: ZoneInfo) -> Period:
    """The period before the moment `due` by the parameters, a day by default."""
    return (
        last_days(params.days, due, zone)
        if params.days
        else last_whole(params.period or "day", due, zone)
    )


def counted(services: Services, period: Period, late_after: int) -> Summary:
    """The report's content, counted in the history; `late_after` in seconds."""
    outcomes = Outcomes(services.engine)
    usual = outcomes.medians(period.since - timedelta(days=USUAL_DAYS), period.since)
    tags = outcomes.tags()
    lines = [
        Line(
            counts,
            tuple(tags.get(counts.schedule_uid or "", ())),
            usual.get((counts.schedule, counts.schedule_uid, counts.job)),
        )
        for counts in outcomes.lines(period.since, period.until, late_after)
    ]
    title = f"Job summary, {period.words}"
    return Summary(title, period, lines, outcomes.parts(period.bounds), late_after)
