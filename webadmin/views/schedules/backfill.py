"""Backfill: runs for past ticks. The page counts the ticks of a period, then starts their runs."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, cast

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose

from scheduler.clock import utc_now
from scheduler.dispatch import backfill
from scheduler.dispatch.backfill import (
    MOST_RUNS,
    OVERLAPS,
    USUAL,
    Backfill,
    Overlap,
    Started,
)
from scheduler.errors import Refused
from scheduler.rules.model.spec import Schedule
from scheduler.rules.phrases import counted
from scheduler.rules.time.typed import clock_zone
from webadmin.form_values import whole_number
from webadmin.guard import actor, role_for_jobs
from webadmin.parsed_filters import moment
from webadmin.refusals import at_field, shows_refusals
from webadmin.services import services

FIELDS = {"from": "since", "to": "until", "limit": "limit"}
"""The form's field names by the engine's."""


@dataclass(frozen=True)
class Wanted:
    """The typed texts, the backfill found, and error messages by field."""

    typed: dict[str, str]
    found: Backfill | None = None
    errors: dict[str, str] = field(default_factory=dict)
    since: str = ""
    until: str = ""
    """The period as instants, so that the ticks started later are the ticks counted."""

    @property
    def overlap(self) -> Overlap:
        """The policy for overlapping runs."""
        return cast("Overlap", self.typed["overlap"])


class BackfillPages(BaseView):
    """`/schedules/<name>/backfill`."""

    @expose("/<path:name>/backfill", methods=["GET", "POST"])
    @shows_refusals("Nothing was started", to=".backfill")
    def backfill(self, name: str) -> ResponseReturnValue:
        """GET shows the form and counts the ticks; POST starts the runs."""
        schedule = services().schedules.get(name)
        now = utc_now()
        wanted = _read(schedule, now)
        if request.method != "POST" or wanted.found is None:
            return self._backfill_page(schedule, wanted, 422 if request.method == "POST" else 200)
        found = wanted.found
        if found.count > len(found.ticks):
            fault = (
                f"There are {found.count:,} ticks in that time. Raise the limit, or backfill in "
                "parts."
            )
            return self._backfill_page(schedule, replace(wanted, errors={"limit": fault}), 422)
        services().catalogue.check_role(schedule.job, role_for_jobs())
        services().catalogue.check_call(schedule.job, schedule.args, schedule.kwargs)
        done = backfill.start(
            found,
            services().control,
            services().waiting,
            services().existing_runs,
            overlap=wanted.overlap,
            actor=actor(),
            now=now,
        )
        flash(_outcome(done, found.left, wanted.overlap), "success" if done.runs else "info")
        return redirect(url_for("runs.index", schedule=name, trigger="backfill"), 303)

    def _backfill_page(
        self, schedule: Schedule, wanted: Wanted, status: int
    ) -> ResponseReturnValue:
        page = self.render(
            "schedules/actions/backfill.html",
            schedule=schedule,
            wanted=wanted,
            errors=wanted.errors,
            most=MOST_RUNS,
        )
        return page, status


def _outcome(done: Started, left: int, overlap: Overlap) -> str:
    """Return the outcome in words."""
    how = ("run is started", "runs are started")
    if overlap == "queue_all":
        how = ("run waits for its turn", "runs wait for their turn")
    runs, repeated = len(done.runs), done.known
    text = f"{counted(runs, *how)}."
    if repeated:
        text += f" {counted(repeated, 'tick has', 'ticks have')} a run already."
    if left:
        text += (
            f" {counted(left, 'tick is', 'ticks are')} left to Beat, which has not dealt with "
            "them yet."
        )
    return text


def _read(schedule: Schedule, now: datetime) -> Wanted:
    """Return the period in the address or form; without a period, nothing is counted."""
    typed = {
        name: str(request.values.get(name, "")).strip()[:60] for name in ("since", "until", "limit")
    }
    typed["limit"] = typed["limit"] or str(USUAL)
    overlap = request.values.get("overlap", "")
    typed["overlap"] = overlap if overlap in OVERLAPS else OVERLAPS[0]
    if not typed["since"] and not typed["until"]:
        return Wanted(typed)
    errors: dict[str, str] = {}
    times: dict[str, Any] = {}
    zone = clock_zone(schedule.when, services().settings.default_timezone)
    for name in ("since", "until"):
        try:
            times[name] = moment(typed[name], now, zone) if typed[name] else now
        except ValueError as error:
            errors[name] = str(error)
    limit = whole_number(typed["limit"]) or 0
    if errors:
        return Wanted(typed, None, errors)
    try:
        found = backfill.plan(
            schedule,
            times["since"],
            times["until"],
            limit=limit,
            now=now,
            calendar=services().schedules.calendar_of(schedule),
            beat=services().schedules.dealt_with(schedule.name),
        )
        return Wanted(typed, found, {}, times["since"].isoformat(), times["until"].isoformat())
    except Refused as error:
        return Wanted(typed, None, at_field(error, FIELDS, "since"))
