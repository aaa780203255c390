"""The editor: new, edit and clone. A valid draft is saved; an invalid draft is shown as typed."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose
from werkzeug.datastructures import MultiDict

from scheduler.catalogue.records import Job, Parameter
from scheduler.clock import utc_now
from scheduler.errors import NotFound, Refused, StaleRevision
from scheduler.rules.check import CheckedSpec
from scheduler.rules.crontab.fields import FIELDS
from scheduler.rules.model.fields import FieldType, fields_of, rule_fields
from scheduler.rules.model.spec import Schedule
from scheduler.rules.time.zones import zone_names
from webadmin.form_values import number
from webadmin.forms.draft import Draft
from webadmin.forms.fields import placeholder_of
from webadmin.forms.schedule import ScheduleForm
from webadmin.forms.versions import Difference, differences
from webadmin.guard import edit_by_visitor
from webadmin.services import services
from webadmin.views.schedules import validation
from webadmin.views.schedules.previews import Coming, Unreadable, coming_of


@dataclass(frozen=True)
class Conflict:
    """A schedule saved meanwhile by another user, and the differences from the draft."""

    stored: Schedule
    given: int
    differences: list[Difference]


@dataclass(frozen=True)
class EditorPage:
    """The contents of an editor page: form, draft, errors and circumstances."""

    form: ScheduleForm
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
        """Create a schedule."""
        if request.method == "POST":
            return self._creation(_sent())
        job, zone = request.args.get("job", ""), services().settings.default_timezone
        form = ScheduleForm.blank(zone, _parameters(job), job=job)
        return self._page(EditorPage(form, form.read()))

    @expose("/<path:name>/clone", methods=["GET", "POST"])
    def clone(self, name: str) -> ResponseReturnValue:
        """Create a schedule from a copy of another."""
        source = services().schedules.listed(name).schedule
        if source is None:
            return redirect(url_for(".show", name=name), 303)
        if request.method == "POST":
            return self._creation(replace(_sent(), source=source.name))
        form = ScheduleForm.showing(source.spec(), _parameters(source.job), name="")
        return self._page(EditorPage(form, form.read(), source=source.name))

    @expose("/<path:name>/edit", methods=["GET", "POST"])
    def edit(self, name: str) -> ResponseReturnValue:
        """Edit a saved schedule."""
        if request.method == "POST":
            return self._edition(name, _sent(name))
        saved = services().schedules.listed(name).schedule
        if saved is None:
            return redirect(url_for(".show", name=name), 303)
        form = ScheduleForm.showing(saved.spec(), _parameters(saved.job), revision=saved.revision)
        return self._page(EditorPage(form, form.read(), editing=saved))

    @expose("/arguments")
    def arguments(self) -> ResponseReturnValue:
        """Render the empty fields for a job's parameters, for the page's script."""
        job = services().catalogue.get(request.args.get("job", ""))
        form = ScheduleForm(
            MultiDict({"job": job.name if job else ""}), job.parameters if job else None
        )
        return self.render("schedules/editor/arguments.html", form=form, job=job, errors={})

    def _creation(self, page: EditorPage) -> ResponseReturnValue:
        checked, page = self._reviewed(page)
        if checked is None:
            return self._page(page)
        try:
            saved = services().schedules.create(
                checked, edit=edit_by_visitor(now=utc_now(), comment=page.draft.comment)
            )
        except Refused as error:
            return self._page(replace(page, errors=validation.at_field(page.draft, error)))
        flash(f"{saved.name} is saved.", "success")
        return redirect(url_for(".show", name=saved.name), 303)

    def _edition(self, name: str, page: EditorPage) -> ResponseReturnValue:
        try:
            saved = services().schedules.listed(name).schedule
            if saved is None:
                return redirect(url_for(".show", name=name), 303)
            checked, page = self._reviewed(replace(page, editing=saved))
            return self._page(page) if checked is None else self._replacement(checked, page)
        except NotFound:
            return self._page(replace(page, gone=True, editing=None, errors={}))

    def _replacement(self, checked: CheckedSpec, page: EditorPage) -> ResponseReturnValue:
        """Save over the revision behind the form; show both versions if a newer revision exists."""
        name = checked.spec.name
        try:
            saved = services().schedules.edit(
                name,
                checked,
                revision=_revision(page.form),
                edit=edit_by_visitor(now=utc_now(), comment=page.draft.comment),
            )
        except StaleRevision as error:
            stored = services().schedules.get(name)
            conflict = Conflict(stored, error.given, differences(checked.spec, stored.spec()))
            return self._page(replace(page, editing=stored, conflict=conflict))
        except Refused as error:
            return self._page(replace(page, errors=validation.at_field(page.draft, error)))
        flash(f"{saved.name} is saved as revision {saved.revision}.", "success")
        return redirect(url_for(".show", name=saved.name), 303)

    def _reviewed(self, page: EditorPage) -> tuple[CheckedSpec | None, EditorPage]:
        """Return the schedule to save; None for a mere preview, or for a draft with errors."""
        action = request.form.get("action", "save")
        if action == "arguments":
            return None, page
        calendars = services().calendars.names()
        review = validation.review(
            page.draft, page.editing, services().catalogue, calendars, now=utc_now()
        )
        return (review.checked if action == "save" else None), replace(page, errors=review.errors)

    def _page(self, page: EditorPage) -> ResponseReturnValue:
        html = self.render("schedules/editor/editor.html", **_facts(page, utc_now()))
        if page.conflict or page.gone:
            return html, 409
        return html, 422 if page.errors else 200


def _sent(name: str | None = None) -> EditorPage:
    """Return the submitted form and its draft; `name`, from the address, overrides the form's."""
    fields = MultiDict(request.form)
    if name is not None:
        fields["name"] = name
    form = ScheduleForm.sent(fields, services().catalogue.get)
    return EditorPage(form, form.read())


def _revision(form: ScheduleForm) -> int:
    """Return the revision to replace: the form's, or a newer one to overwrite deliberately.

    An unreadable revision is -1, which matches no schedule.
    """
    over = number("over")
    if over is not None:
        return over
    return -1 if form.revision_number is None else form.revision_number


def _parameters(job: str) -> list[Parameter] | None:
    """Return the parameters of a job; None for a job without a worker."""
    found = services().catalogue.get(job) if job else None
    return None if found is None else found.parameters


def _coming(page: EditorPage, now: datetime) -> Coming | None:
    """Return the preview; None while the rule cannot be read."""
    try:
        return coming_of(page.draft, page.editing, now=now)
    except Unreadable:
        return None


def _facts(page: EditorPage, now: datetime) -> dict[str, Any]:
    jobs = services().catalogue.jobs(now)
    modules: dict[str, list[Job]] = {}
    for offered in sorted(jobs, key=lambda item: (item.module, item.name)):
        modules.setdefault(offered.module, []).append(offered)
    return {
        "page": page,
        "form": page.form,
        "errors": page.errors,
        "modules": modules,
        "job": next((job for job in jobs if job.name == page.form["job"].text), None),
        "zones": zone_names(),
        "cron_fields": FIELDS,
        "coming": _coming(page, now),
        "calendars": services().calendars.names(),
        "rule_names": ["kind", "unit", *(row.name for row in rule_fields())],
        "placeholder_of": placeholder_of,
        "policies": fields_of("policies"),
        "window": fields_of("window"),
        "about": [row for row in fields_of("") if row.flag and row.type is not FieldType.JSON],
    }
