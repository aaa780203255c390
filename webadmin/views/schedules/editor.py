"""The editor: new, edit and clone. Saves a draft that holds, and shows one that does not as it was
typed.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose

from scheduler.catalogue.catalogue import Job
from scheduler.clock import utc_now
from scheduler.errors import NotFound, Refused, StaleRevision
from scheduler.rules.crontab.fields import FIELDS
from scheduler.rules.model.spec import Schedule, Spec
from scheduler.rules.time.zones import zone_names
from webadmin.forms import arguments, policies
from webadmin.forms.draft import Draft, blank, typed
from webadmin.forms.drafting import drafted
from webadmin.forms.versions import Difference, differences
from webadmin.guard import actor
from webadmin.services import services
from webadmin.views.schedules import reviewing
from webadmin.views.schedules.previews import Coming, coming_of


@dataclass(frozen=True)
class Conflict:
    """The schedule that somebody else saved meanwhile, and where it differs from what was typed."""

    stored: Schedule
    given: int
    differences: list[Difference]


@dataclass(frozen=True)
class Sheet:
    """Everything that an editor page shows."""

    draft: Draft
    errors: dict[str, str] = field(default_factory=dict)
    editing: Schedule | None = None
    source: str | None = None
    conflict: Conflict | None = None
    gone: bool = False


class EditorPages(BaseView):
    """`/schedules/new`, `/schedules/<name>/edit`, `/schedules/<name>/clone`."""

    @expose("/new", methods=["GET", "POST"])
    def create(self) -> ResponseReturnValue:
        """A new schedule."""
        if request.method == "POST":
            return self._creation(Sheet(typed(request.form)))
        draft = blank(services().settings.default_timezone)
        return self._page(Sheet(replace(draft, job=request.args.get("job", ""))))

    @expose("/<path:name>/clone", methods=["GET", "POST"])
    def clone(self, name: str) -> ResponseReturnValue:
        """A new schedule that starts as another one."""
        source = services().schedules.listed(name).schedule
        if source is None:
            return redirect(url_for(".show", name=name), 303)
        if request.method == "POST":
            return self._creation(Sheet(typed(request.form), source=source.name))
        draft = drafted(source.spec())
        return self._page(
            Sheet(replace(_split(draft, source), name="", anchor=""), source=source.name)
        )

    @expose("/<path:name>/edit", methods=["GET", "POST"])
    def edit(self, name: str) -> ResponseReturnValue:
        """A saved schedule."""
        if request.method == "POST":
            return self._edition(name, replace(typed(request.form), name=name))
        saved = services().schedules.listed(name).schedule
        if saved is None:
            return redirect(url_for(".show", name=name), 303)
        return self._page(
            Sheet(_split(drafted(saved.spec(), revision=saved.revision), saved), editing=saved)
        )

    @expose("/arguments")
    def arguments(self) -> ResponseReturnValue:
        """The fields for a job's parameters, empty, for the page's script."""
        job = services().catalogue.get(request.args.get("job", ""))
        draft = Draft(job=job.name if job else "")
        fields = (
            arguments.fields(job.parameters, {}) if job and arguments.fits(job.parameters) else None
        )
        return self.render(
            "schedules/arguments.html", draft=draft, job=job, fields=fields, errors={}
        )

    def _creation(self, sheet: Sheet) -> ResponseReturnValue:
        spec, sheet = self._reviewed(sheet)
        if spec is None:
            return self._page(sheet)
        try:
            saved = services().schedules.create(
                spec, actor=actor(), comment=sheet.draft.comment.strip(), now=utc_now()
            )
        except Refused as error:
            return self._page(replace(sheet, errors=reviewing.at_field(sheet.draft, error)))
        flash(f"{saved.name} is saved.", "success")
        return redirect(url_for(".show", name=saved.name), 303)

    def _edition(self, name: str, draft: Draft) -> ResponseReturnValue:
        try:
            saved = services().schedules.listed(name).schedule
            if saved is None:
                return redirect(url_for(".show", name=name), 303)
            spec, sheet = self._reviewed(Sheet(draft, editing=saved))
            return self._page(sheet) if spec is None else self._replacement(spec, sheet)
        except NotFound:
            return self._page(Sheet(draft, gone=True))

    def _replacement(self, spec: Spec, sheet: Sheet) -> ResponseReturnValue:
        """Save over the revision that was read; where there is a newer one, show both."""
        draft, name = sheet.draft, spec.name
        try:
            saved = services().schedules.edit(
                name,
                spec,
                revision=_revision(draft),
                actor=actor(),
                comment=draft.comment.strip(),
                now=utc_now(),
            )
        except StaleRevision as error:
            stored = services().schedules.get(name)
            conflict = Conflict(stored, error.given, differences(spec, stored.spec()))
            return self._page(replace(sheet, editing=stored, conflict=conflict))
        except Refused as error:
            return self._page(replace(sheet, errors=reviewing.at_field(draft, error)))
        flash(f"{saved.name} is saved as revision {saved.revision}.", "success")
        return redirect(url_for(".show", name=saved.name), 303)

    def _reviewed(self, sheet: Sheet) -> tuple[Spec | None, Sheet]:
        """The schedule to save; none when only a look was asked for, or where something is
        wrong.
        """
        asked = request.form.get("action", "save")
        if asked == "arguments":
            return None, sheet
        review = reviewing.review(
            sheet.draft,
            sheet.editing,
            services().catalogue,
            services().calendars.names(),
            now=utc_now(),
        )
        sheet = replace(sheet, errors=review.errors)
        return (review.spec if asked == "save" and not review.errors else None), sheet

    def _page(self, sheet: Sheet) -> ResponseReturnValue:
        now = utc_now()
        jobs = services().catalogue.jobs(now)
        job = next((job for job in jobs if job.name == sheet.draft.job), None)
        preview = coming_of(sheet.draft, sheet.editing, now=now)
        html = self.render("schedules/editor.html", **_facts(sheet, jobs, job, preview))
        return html, (409 if sheet.conflict or sheet.gone else 422 if sheet.errors else 200)


def _revision(draft: Draft) -> int:
    """The revision that a save replaces: the one that was read, or the newer one that is
    deliberately overwritten.
    """
    over = request.form.get("over", "")
    if over.isascii() and over.isdigit():
        return int(over)
    return -1 if draft.revision_number is None else draft.revision_number


def _split(draft: Draft, schedule: Schedule) -> Draft:
    """The draft with the arguments in single fields, where the job's parameters allow it."""
    job = services().catalogue.get(schedule.job)
    if job is None:
        return draft
    try:
        given = arguments.split(job.parameters, schedule.args, schedule.kwargs)
    except arguments.Unsplittable:
        return draft
    return replace(draft, arguments="form", given=given)


def _facts(
    sheet: Sheet, jobs: list[Job], job: Job | None, preview: Coming | None
) -> dict[str, Any]:
    modules: dict[str, list[Job]] = {}
    for offered in sorted(jobs, key=lambda item: (item.module, item.name)):
        modules.setdefault(offered.module, []).append(offered)
    return {
        "sheet": sheet,
        "draft": sheet.draft,
        "errors": sheet.errors,
        "modules": modules,
        "job": job,
        "fields": arguments.fields(job.parameters, sheet.draft.given)
        if job and arguments.fits(job.parameters)
        else None,
        "zones": zone_names(),
        "cron_fields": FIELDS,
        "coming": preview,
        "overlap": policies.OVERLAP,
        "catch_up": policies.CATCH_UP,
        "calendars": services().calendars.names(),
    }
