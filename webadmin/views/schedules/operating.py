"""Pause and resume, for one schedule or a selection, and skip single ticks. Where there is a
choice, a page asks.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast, get_args

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose

from scheduler.clock import utc_now
from scheduler.errors import BeatdeskError, Refused, UnreadableEntry
from scheduler.rules.model.spec import Schedule
from scheduler.rules.policies.window import is_paused
from scheduler.schedules.missed_in_pause import held_ticks
from scheduler.schedules.operations import Missed
from scheduler.schedules.pause_all import Outcome
from scheduler.schedules.reads import ScheduleRow
from webadmin import present
from webadmin.asked import moment_ahead
from webadmin.forms.sentences import sentence
from webadmin.guard import actor
from webadmin.services import services
from webadmin.views.schedules.acting import back, comment, each, seen, selected

MISSED: tuple[str, ...] = get_args(Missed)


@dataclass(frozen=True)
class PauseForm:
    """What was typed about a pause, and what is wrong with it by field."""

    reason: str
    until: str
    ends: datetime | None
    errors: dict[str, str]


class OperationPages(BaseView):
    """`/schedules/<name>/pause` and the like."""

    @expose("/<path:name>/pause", methods=["GET", "POST"])
    def pause(self, name: str) -> ResponseReturnValue:
        """Ask for the reason and the end; pause."""
        listed = services().schedules.listed(name)
        if request.method == "GET":
            return self._pause_page([listed], PauseForm("", "", None, {}))
        now = utc_now()
        form = _typed_pause(now)
        if not form.errors:
            try:
                saved = services().operations.pause(
                    name, reason=form.reason, until=form.ends, actor=actor(), now=now
                )
            except (Refused, UnreadableEntry) as error:
                form = _with_fault(form, error)
            else:
                flash(f"{name} is paused{_until(saved)}.", "success")
                return back(name)
        return self._pause_page([listed], form), 422

    @expose("/<path:name>/resume", methods=["GET", "POST"])
    def resume(self, name: str) -> ResponseReturnValue:
        """Ask what becomes of the ticks in the pause; resume."""
        now = utc_now()
        if request.method == "GET":
            schedule = services().schedules.get(name)
            if not is_paused(schedule, now):
                flash(f"{name} is not paused.", "info")
                return redirect(url_for(".show", name=name), 303)
            return self.render(
                "schedules/resume.html", schedule=schedule, held=held_ticks(schedule, now)
            )
        missed = request.form.get("missed", "skip")
        if missed not in MISSED:
            flash("Choose what becomes of the ticks in the pause.", "warning")
            return redirect(url_for(".resume", name=name), 303)
        try:
            resumed = services().operations.resume(
                name, missed=cast(Missed, missed), actor=actor(), comment=comment(), now=now
            )
        except (Refused, UnreadableEntry) as error:
            flash(f"{name} was not resumed. {sentence(str(error))}", "danger")
            return redirect(url_for(".show", name=name), 303)
        count = len(resumed.runs)
        how = (
            "run of a tick in the pause starts"
            if count == 1
            else "runs of ticks in the pause start in turn"
        )
        started = f" {count} {how}." if count else ""
        flash(f"{name} fires again.{started}", "success")
        return back(name)

    @expose("/<path:name>/skip", methods=["POST"])
    def skip(self, name: str) -> ResponseReturnValue:
        """Let one coming tick pass: the named one, or the next."""
        now = utc_now()
        try:
            _, tick = services().operations.skip(
                name, tick=_tick(), actor=actor(), comment=comment(), now=now
            )
        except (Refused, UnreadableEntry) as error:
            flash(f"Nothing of {name} is skipped. {sentence(str(error))}", "danger")
        else:
            flash(f"{name} skips its tick of {present.absolute(tick)}.", "success")
        return back(name)

    @expose("/<path:name>/keep", methods=["POST"])
    def keep(self, name: str) -> ResponseReturnValue:
        """Let a tick run that was to be skipped."""
        now = utc_now()
        tick = _tick() or now
        try:
            services().operations.keep(name, tick=tick, actor=actor(), comment=comment(), now=now)
        except (Refused, UnreadableEntry) as error:
            flash(f"{name}: {sentence(str(error))}", "danger")
        else:
            flash(f"{name} runs at {present.absolute(tick)} after all.", "success")
        return back(name)

    @expose("/<path:name>/drop-waiting", methods=["POST"])
    def drop_waiting(self, name: str) -> ResponseReturnValue:
        """Let the named tick that waits for its turn, or all that wait, have none."""
        try:
            schedule = services().schedules.get(name)
            dropped = services().waiting.drop(schedule, tick=_tick(), actor=actor(), now=utc_now())
        except (Refused, UnreadableEntry) as error:
            flash(f"Nothing is dropped. {sentence(str(error))}", "info")
        else:
            count = len(dropped)
            flash(f"{count} {'tick waits' if count == 1 else 'ticks wait'} no longer.", "success")
        return back(name)

    @expose("/pause-all", methods=["GET", "POST"])
    def pause_all(self) -> ResponseReturnValue:
        """Ask for the reason and the end; pause every schedule that is on."""
        now = utc_now()
        form = _typed_pause(now) if request.method == "POST" else PauseForm("", "", None, {})
        if request.method == "POST" and not form.errors:
            try:
                done = services().everything.pause(
                    reason=form.reason, until=form.ends, actor=actor(), now=now
                )
            except Refused as error:
                form = _with_fault(form, error)
            else:
                _say_all(done, "paused")
                return redirect(url_for(".index"), 303)
        page = self.render("schedules/pause_all.html", form=form, errors=form.errors)
        return page, 422 if form.errors else 200

    @expose("/resume-all", methods=["POST"])
    def resume_all(self) -> ResponseReturnValue:
        """Resume what was paused with everything. What it missed is skipped."""
        try:
            done = services().everything.resume(actor=actor(), now=utc_now())
        except Refused as error:
            flash(sentence(str(error)), "info")
        else:
            _say_all(done, "resumed")
        return back()

    @expose("/bulk-pause", methods=["POST"])
    def bulk_pause(self) -> ResponseReturnValue:
        """First the page that asks for the reason, then the deed."""
        names = selected()
        if not names:
            return back()
        now = utc_now()
        form = _typed_pause(now) if request.form.get("confirmed") else PauseForm("", "", None, {})
        if form.errors or not request.form.get("confirmed"):
            listed = [item for name in names if (item := seen(name)) is not None]
            return self._pause_page(listed, form, bulk=True), 422 if form.errors else 200
        operations, who = services().operations, actor()
        each(
            names,
            lambda name: operations.pause(
                name, reason=form.reason, until=form.ends, actor=who, now=now
            ),
            "paused",
        )
        return back()

    def _pause_page(self, listed: list[ScheduleRow], form: PauseForm, *, bulk: bool = False) -> str:
        """What would be paused, and the form."""
        return self.render(
            "schedules/pause.html",
            listed=listed,
            bulk=bulk,
            form=form,
            errors=form.errors,
            next=_asked_next(),
        )


def _say_all(done: Outcome, what: str) -> None:
    count = len(done.names)
    flash(f"{count} {'schedule is' if count == 1 else 'schedules are'} {what}.", "success")
    for name, why in list(done.refused.items())[:5]:
        flash(f"Not {what}: {name}: {sentence(why)}", "danger")


def _typed_pause(now: datetime) -> PauseForm:
    """The reason and the end as they were sent."""
    reason, until = (
        request.form.get("reason", "").strip()[:2000],
        request.form.get("until", "").strip()[:100],
    )
    errors = {} if reason else {"reason": "Say why: whoever finds it paused at night must know."}
    ends: datetime | None = None
    if until:
        try:
            ends = moment_ahead(until, now)
        except ValueError as error:
            errors["until"] = str(error)
    return PauseForm(reason, until, ends, errors)


def _with_fault(form: PauseForm, error: BeatdeskError) -> PauseForm:
    """The form with a refusal at its field."""
    field = error.field if error.field in ("reason", "until") else "reason"
    return PauseForm(form.reason, form.until, form.ends, {field: sentence(str(error))})


def _until(schedule: Schedule) -> str:
    pause = schedule.paused
    return "" if pause is None or pause.until is None else f" until {present.absolute(pause.until)}"


def _tick() -> datetime | None:
    """The tick that the button stands for; none where it stands for the next one."""
    text = request.form.get("tick", "")
    if not text:
        return None
    try:
        tick = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(
            f"{text[:60]!r} is not a tick; use the buttons beside the coming ticks", field="tick"
        ) from None
    return tick.replace(tzinfo=UTC) if tick.tzinfo is None else tick.astimezone(UTC)


def _asked_next() -> str:
    return str(request.values.get("next", ""))
