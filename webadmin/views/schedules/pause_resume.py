"""Pause and resume, for one schedule or a selection, and skipping of single ticks.

An action with a choice has a page of its own.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast, get_args

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose

from scheduler.clock import utc_now
from scheduler.errors import Refused
from scheduler.rules.model.spec import Schedule
from scheduler.rules.phrases import counted
from scheduler.rules.policies.window import is_paused
from scheduler.rules.time.typed import UTC_ZONE, BadTime, Zone, read_instant
from scheduler.schedules.missed_in_pause import held_ticks
from scheduler.schedules.operations import Missed
from scheduler.schedules.pause_all import Outcome
from scheduler.schedules.raw_entry import ScheduleRow
from webadmin import present
from webadmin.form_values import comment
from webadmin.forms.sentences import sentence
from webadmin.guard import actor, edit_by_visitor
from webadmin.parsed_filters import moment_ahead
from webadmin.refusals import at_field, shows_refusals
from webadmin.services import services
from webadmin.views.schedules.actions import (
    back,
    clock_of,
    default_clock,
    each,
    listed_row,
    selected,
)

MISSED: tuple[str, ...] = get_args(Missed)


@dataclass(frozen=True)
class PauseForm:
    """The typed texts of a pause, its end as an instant, and error messages by field."""

    reason: str
    until: str
    ends: datetime | None
    errors: dict[str, str]


def _refused_pause(pages: "PauseResumePages", error: Exception, name: str) -> ResponseReturnValue:
    """Return the page with the refusal at its field."""
    # The zone of a schedule that cannot be read is not known; asking again would be refused again.
    form = _with_fault(error, default_clock)
    return pages._pause_page([services().schedules.listed(name)], form), 422


def _refused_pause_of_all(pages: "PauseResumePages", error: Exception) -> ResponseReturnValue:
    return pages._pause_all_page(_with_fault(error, default_clock)), 422


def _with_fault(error: Exception, zone: Zone) -> PauseForm:
    """Return the submitted form with the refusal at its field."""
    form = _typed_pause(utc_now(), zone)
    return replace(form, errors=at_field(error, {"until": "until"}, "reason"))


class PauseResumePages(BaseView):
    """`/schedules/<name>/pause` and the like."""

    @expose("/<path:name>/pause", methods=["GET", "POST"])
    @shows_refusals("{name} was not paused", to=".show", page=_refused_pause)
    def pause(self, name: str) -> ResponseReturnValue:
        """GET shows the form for reason and end; POST pauses the schedule."""
        if request.method != "POST":
            return self._pause_page(
                [services().schedules.listed(name)], PauseForm("", "", None, {})
            )
        now = utc_now()
        form = _typed_pause(now, lambda: clock_of(name))
        if form.errors:
            return self._pause_page([services().schedules.listed(name)], form), 422
        saved = services().operations.pause(
            name, reason=form.reason, until=form.ends, edit=edit_by_visitor(now=now)
        )
        flash(f"{name} is paused{_until(saved)}.", "success")
        return back(name)

    @expose("/<path:name>/resume", methods=["GET", "POST"])
    @shows_refusals("{name} was not resumed", to=".show")
    def resume(self, name: str) -> ResponseReturnValue:
        """GET shows the choices for the ticks in the pause; POST resumes the schedule."""
        now = utc_now()
        if request.method != "POST":
            entry = services().schedules.entry(name)
            if not is_paused(entry.schedule, now):
                flash(f"{name} is not paused.", "info")
                return redirect(url_for(".show", name=name), 303)
            return self.render(
                "schedules/actions/resume.html",
                schedule=entry.schedule,
                held=held_ticks(entry, now),
            )
        missed = request.form.get("missed", "skip")
        if missed not in MISSED:
            flash("Choose what to do with the ticks of the pause.", "warning")
            return redirect(url_for(".resume", name=name), 303)
        resumed = services().operations.resume(
            name, missed=cast(Missed, missed), edit=edit_by_visitor(now=now, comment=comment())
        )
        count = len(resumed.runs)
        how = counted(
            count, "run of a tick in the pause starts", "runs of ticks in the pause start in turn"
        )
        started = f" {how}." if count else ""
        flash(f"{name} fires again.{started}", "success")
        return back(name)

    @expose("/<path:name>/skip", methods=["POST"])
    @shows_refusals("Nothing of {name} is skipped", to=back)
    def skip(self, name: str) -> ResponseReturnValue:
        """Skip one coming tick: the named tick, or the next."""
        _, tick = services().operations.skip(
            name, tick=_tick(), edit=edit_by_visitor(now=utc_now(), comment=comment())
        )
        flash(f"{name} skips its tick of {present.absolute(tick)}.", "success")
        return back(name)

    @expose("/<path:name>/keep", methods=["POST"])
    @shows_refusals("Nothing of {name} has changed", to=back)
    def keep(self, name: str) -> ResponseReturnValue:
        """Take back the skipping of a tick."""
        now = utc_now()
        tick = _tick() or now
        services().operations.keep(
            name, tick=tick, edit=edit_by_visitor(now=now, comment=comment())
        )
        flash(f"{name} runs at {present.absolute(tick)} after all.", "success")
        return back(name)

    @expose("/<path:name>/drop-waiting", methods=["POST"])
    @shows_refusals("Nothing is dropped", to=back, category="info")
    def drop_waiting(self, name: str) -> ResponseReturnValue:
        """Drop the named waiting tick, or all waiting ticks."""
        schedule = services().schedules.get(name)
        dropped = services().waiting.drop(schedule, tick=_tick(), actor=actor(), now=utc_now())
        count = len(dropped)
        flash(f"{counted(count, 'tick waits', 'ticks wait')} no longer.", "success")
        return back(name)

    @expose("/pause-all", methods=["GET", "POST"])
    @shows_refusals("Nothing was paused", to=".index", page=_refused_pause_of_all)
    def pause_all(self) -> ResponseReturnValue:
        """GET shows the form for reason and end; POST pauses every enabled schedule."""
        if request.method != "POST":
            return self._pause_all_page(PauseForm("", "", None, {}))
        now = utc_now()
        form = _typed_pause(now, default_clock)
        if form.errors:
            return self._pause_all_page(form), 422
        done = services().pause_all.pause(
            reason=form.reason, until=form.ends, edit=edit_by_visitor(now=now)
        )
        _say_all(done, "paused")
        return redirect(url_for(".index"), 303)

    @expose("/resume-all", methods=["POST"])
    @shows_refusals("", to=back, category="info")
    def resume_all(self) -> ResponseReturnValue:
        """Resume the schedules paused by `pause_all`. Missed ticks are skipped."""
        _say_all(services().pause_all.resume(edit=edit_by_visitor(now=utc_now())), "resumed")
        return back()

    @expose("/bulk-pause", methods=["POST"])
    def bulk_pause(self) -> ResponseReturnValue:
        """Show the form for the reason; pause the selection after confirmation."""
        names = selected()
        if not names:
            return back()
        now = utc_now()
        is_sent = bool(request.form.get("confirmed"))
        form = _typed_pause(now, default_clock) if is_sent else PauseForm("", "", None, {})
        if form.errors or not is_sent:
            listed = [item for name in names if (item := listed_row(name)) is not None]
            return self._pause_page(listed, form, bulk=True), 422 if form.errors else 200
        operations, edit = services().operations, edit_by_visitor(now=now)
        each(
            names,
            lambda name: operations.pause(name, reason=form.reason, until=form.ends, edit=edit),
            "paused",
        )
        return back()

    def _pause_page(self, listed: list[ScheduleRow], form: PauseForm, *, bulk: bool = False) -> str:
        """Render the schedules to pause, and the form."""
        return self.render(
            "schedules/actions/pause.html",
            listed=listed,
            bulk=bulk,
            form=form,
            errors=form.errors,
            next=_next_page(),
        )

    def _pause_all_page(self, form: PauseForm) -> str:
        return self.render("schedules/actions/pause_all.html", form=form, errors=form.errors)


def _say_all(done: Outcome, what: str) -> None:
    count = len(done.names)
    flash(f"{counted(count, 'schedule is', 'schedules are')} {what}.", "success")
    for name, why in list(done.refused.items())[:5]:
        flash(f"Not {what}: {name}: {sentence(why)}", "danger")


def _typed_pause(now: datetime, zone: Zone) -> PauseForm:
    """Return the submitted reason and end, with errors by field."""
    reason = request.form.get("reason", "").strip()[:2000]
    until = request.form.get("until", "").strip()[:100]
    errors = {} if reason else {"reason": "Say why: the reason is shown with the paused schedule."}
    ends: datetime | None = None
    if until:
        try:
            ends = moment_ahead(until, now, zone)
        except ValueError as error:
            errors["until"] = str(error)
    return PauseForm(reason, until, ends, errors)


def _until(schedule: Schedule) -> str:
    pause = schedule.paused
    return "" if pause is None or pause.until is None else f" until {present.absolute(pause.until)}"


def _tick() -> datetime | None:
    """Return the tick of the button; None for the next tick. Raises Refused."""
    text = request.form.get("tick", "")
    if not text:
        return None
    try:
        return read_instant(text, "tick", plain_zone=UTC_ZONE, years=None)
    except BadTime:
        raise Refused(
            f"{text[:60]!r} is not a tick; use the buttons beside the coming ticks", field="tick"
        ) from None


def _next_page() -> str:
    return str(request.values.get("next", ""))
