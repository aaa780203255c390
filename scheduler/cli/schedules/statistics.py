"""The recent days of a schedule for `schedules show`."""

from scheduler.clock import utc_now
from scheduler.history.days import RECENT, Summary, recent_days, summary
from scheduler.rules.phrases import counted, elapsed, percent
from scheduler.schedules.raw_entry import ScheduleRow
from scheduler.services.services import Services


def recent(services: Services, listed: ScheduleRow) -> Summary | None:
    """Return the recent days of a schedule together; None without a tick on them.

    Raises the errors of the history's database.
    """
    if listed.schedule is None:
        return None
    since, until = recent_days(utc_now())
    return summary(services.recent_days.of(listed.schedule.uid, since, until), since, until)


def facts(found: Summary | None) -> list[tuple[str, str]]:
    """Return the line for the recent days; no line without a tick on them."""
    return [] if found is None else [(f"last {RECENT} days", in_words(found))]


def in_words(found: Summary) -> str:
    """Return the days in a line: `29 runs, 97 % succeeded, 100 % on time, median 1.84 s, 95 %
    within 2.50 s, 1 missed`; what is not there is left out.
    """
    parts = [counted(found.runs, "run")]
    if found.success is not None:
        parts.append(f"{percent(found.success)} succeeded")
    if found.on_time is not None:
        parts.append(f"{percent(found.on_time)} on time")
    if found.median is not None and found.p95 is not None:
        parts += [f"median {elapsed(found.median)}", f"95 % within {elapsed(found.p95)}"]
    others = {"missed": found.missed, "skipped": found.skipped}
    return ", ".join([*parts, *(f"{count} {word}" for word, count in others.items() if count)])
