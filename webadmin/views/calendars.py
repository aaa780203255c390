"""The exclusion calendars: list, detail page, editor, import of iCalendar data, deletion."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose

from scheduler.clock import utc_now
from scheduler.errors import NotFound, Refused, StaleRevision, UnreadableEntry
from scheduler.history.queries.views import CalendarRevisionView
from scheduler.interface.calendar_view import DAYS_AHEAD, days_ahead
from scheduler.rules.calendars import icalendar
from scheduler.rules.calendars.exclusions import SavedCalendar
from scheduler.rules.calendars.icalendar import LeftOut
from scheduler.rules.calendars.text import calendar_of, lines_of
from scheduler.rules.time.zones import zone_names
from webadmin.form_values import comment, revision_shown, whole_number
from webadmin.forms.sentences import sentence
from webadmin.guard import Guard, edit_by_visitor
from webadmin.refusals import at_field, shows_refusals, while_away
from webadmin.services import services

YEARS_EXPANDED = 10
"""Years of a recurring event that an import expands."""

REVISIONS = 20
MOST_SHOWN = 500
"""Most lines of a calendar on its page, and most omitted events after an import.

The editor has all lines.
"""


FIELDS = {
    "name": "name",
    "timezone": "timezone",
    "zone": "timezone",
    "description": "description",
    "excluded": "excluded",
    "calendar": "excluded",
    "comment": "comment",
    "revision": "form",
}
"""The form's field names by the engine's."""


@dataclass(frozen=True)
class Sheet:
    """The editor's fields as typed."""

    name: str = ""
    timezone: str = "UTC"
    description: str = ""
    excluded: str = ""
    comment: str = ""
    revision: str = ""
    errors: dict[str, str] = field(default_factory=dict)


def _refused_deletion(pages: "CalendarsView", error: Exception, name: str) -> ResponseReturnValue:
    return pages._delete_page(name, _read(name)[0], sentence(str(error))), 409


class CalendarsView(Guard, BaseView):
    """The pages below `/calendars/`."""

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """Show all calendars, with the number of schedules that use each."""
        stored = services().calendars.stored()
        lines = [(one.name, *_read(one.name)) for one in stored]
        return self.render(
            "calendars/index.html",
            lines=lines,
            used=services().calendars.used_by(),
            lines_of=lines_of,
        )

    @expose("/<path:name>/")
    def show(self, name: str) -> ResponseReturnValue:
        """Show the excluded days ahead, the schedules that use the calendar, and the revisions."""
        saved, problem = _read(name)
        if saved is None and problem is None:
            raise NotFound(f"there is no calendar {name!r}; choose another one from the list")
        lines = lines_of(saved) if saved is not None else []
        return self.render(
            "calendars/show.html",
            name=name,
            saved=saved,
            problem=problem,
            lines=lines[:MOST_SHOWN],
            more=max(len(lines) - MOST_SHOWN, 0),
            days=days_ahead(saved, utc_now()) if saved is not None else [],
            ahead=DAYS_AHEAD,
            used_by=services().calendars.used_by().get(name, []),
            revisions=_revisions(name),
        )

    @expose("/new", methods=["GET", "POST"])
    def create(self) -> ResponseReturnValue:
        """Create a calendar."""
        if request.method != "POST":
            return self._page(Sheet(timezone=services().settings.default_timezone), editing=None)
        return self._save(_typed(request.form.get("name", "").strip()), editing=None)

    @expose("/<path:name>/edit", methods=["GET", "POST"])
    def edit(self, name: str) -> ResponseReturnValue:
        """Edit a saved calendar."""
        if request.method == "POST":
            return self._save(_typed(name), editing=name)
        saved, problem = _read(name)
        if saved is None and problem is None:
            raise NotFound(f"there is no calendar {name!r}; choose another one from the list")
        if saved is None:
            return self._page(Sheet(name=name, revision="0"), editing=name)
        sheet = Sheet(
            name,
            saved.timezone,
            saved.description,
            "\n".join(lines_of(saved)),
            "",
            str(saved.revision),
        )
        return self._page(sheet, editing=name)

    @expose("/import", methods=["GET", "POST"])
    def import_ics(self) -> ResponseReturnValue:
        """Turn iCalendar text or a file into lines of the editor; saving is a separate step."""
        name, zone = request.values.get("name", "").strip(), services().settings.default_timezone
        saved, _ = _read(name) if name else (None, None)
        if saved is not None:
            zone = saved.timezone
        text = ""
        if request.method == "POST":
            zone, text = request.form.get("timezone", zone).strip(), _sent_text()
            try:
                until = (utc_now() + timedelta(days=366 * YEARS_EXPANDED)).date()
                imported = icalendar.read(text, name=name, timezone=zone, until=until)
            except Refused as error:
                page = self._import_page(name, zone, text, sentence(str(error)))
                return page, 422
            read = imported.calendar
            if saved is not None:
                read = read.model_copy(update={"weekly": saved.weekly})
            sheet = Sheet(
                name,
                zone,
                saved.description if saved is not None else "",
                "\n".join(lines_of(read)),
                "imported from an iCalendar file",
                str(saved.revision) if saved is not None else "",
            )
            flash("This is what the file excludes. Look at it, then save it.", "info")
            editing = saved.name if saved is not None else None
            return self._page(sheet, editing=editing, left_out=imported.left_out)
        return self._import_page(name, zone, text, None)

    @expose("/<path:name>/delete", methods=["GET", "POST"])
    @shows_refusals("{name} was not deleted", to=".show", page=_refused_deletion)
    def delete(self, name: str) -> ResponseReturnValue:
        """GET shows the consequences of deletion; POST deletes the revision shown."""
        saved, problem = _read(name)
        if saved is None and problem is None:
            raise NotFound(f"there is no calendar {name!r}; choose another one from the list")
        if request.method != "POST":
            return self._delete_page(name, saved, None)
        revision = None if saved is None else revision_shown()
        services().calendars.delete(
            name, revision=revision, edit=edit_by_visitor(now=utc_now(), comment=comment())
        )
        flash(f"The calendar {name} is deleted.", "success")
        return redirect(url_for(".index"), 303)

    def _save(self, sheet: Sheet, *, editing: str | None) -> ResponseReturnValue:
        """Save the calendar; an invalid value is reported at its field."""
        try:
            calendar = calendar_of(
                sheet.name,
                sheet.excluded.splitlines(),
                timezone=sheet.timezone.strip(),
                description=sheet.description.strip(),
            )
            number = whole_number(sheet.revision)
            revision = -1 if number is None else number
            saved = services().calendars.save(
                calendar,
                revision=None if editing is None else revision,
                edit=edit_by_visitor(now=utc_now(), comment=comment()),
            )
        except (Refused, StaleRevision) as error:
            faulty = replace(sheet, errors=at_field(error, FIELDS, "timezone"))
            status = 409 if isinstance(error, StaleRevision) else 422
            return self._page(faulty, editing=editing), status
        flash(f"The calendar {saved.name} is saved as revision {saved.revision}.", "success")
        return redirect(url_for(".show", name=saved.name), 303)

    def _delete_page(self, name: str, saved: SavedCalendar | None, fault: str | None) -> str:
        used_by = services().calendars.used_by().get(name, [])
        return self.render(
            "calendars/delete.html", name=name, saved=saved, used_by=used_by, fault=fault
        )

    def _page(self, sheet: Sheet, *, editing: str | None, left_out: Sequence[LeftOut] = ()) -> str:
        """Render the editor; after an import also the omitted events."""
        return self.render(
            "calendars/editor.html",
            sheet=sheet,
            errors=sheet.errors,
            editing=editing,
            zones=zone_names(),
            left_out=left_out[:MOST_SHOWN],
            more=max(len(left_out) - MOST_SHOWN, 0),
        )

    def _import_page(self, name: str, zone: str, text: str, fault: str | None) -> str:
        return self.render(
            "calendars/import.html",
            name=name,
            zone=zone,
            text=text[:200_000],
            fault=fault,
            zones=zone_names(),
        )


def _typed(name: str) -> Sheet:
    form = request.form
    return Sheet(
        name,
        form.get("timezone", "UTC"),
        form.get("description", ""),
        form.get("excluded", "").replace("\r\n", "\n"),
        form.get("comment", ""),
        form.get("revision", ""),
    )


def _sent_text() -> str:
    """Return the uploaded file as text, or else the pasted text."""
    sent = request.files.get("file")
    raw = sent.read() if sent is not None else b""
    return raw.decode("utf-8-sig", "replace") if raw else request.form.get("text", "")


def _read(name: str) -> tuple[SavedCalendar | None, str | None]:
    """Return the calendar, or the error of an unreadable one; both are None for a missing one."""
    try:
        return services().calendars.get(name), None
    except NotFound:
        return None, None
    except UnreadableEntry as error:
        return None, sentence(str(error))


@while_away([])
def _revisions(name: str) -> list[CalendarRevisionView]:
    return services().calendar_history.revisions(name, REVISIONS)
