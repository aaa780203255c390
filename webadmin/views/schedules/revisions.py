"""The revisions of a schedule: the changes of each, and restoring with a preview."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose

from scheduler.clock import utc_now
from scheduler.errors import NotFound
from scheduler.events.bounds import masked_field
from scheduler.history.queries.views import RevisionView
from scheduler.rules.model import difference
from webadmin import present
from webadmin.form_values import LARGEST_REVISION, comment, revision_shown, whole_number
from webadmin.guard import edit_by_visitor
from webadmin.refusals import shows_refusals
from webadmin.services import services

SHOWN = 200


@dataclass(frozen=True)
class Line:
    """A changed field, as text."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class Step:
    """A revision with its changes; None if the previous revision is unknown."""

    revision: RevisionView
    lines: list[Line] | None


def _look_again(name: str) -> ResponseReturnValue:
    """Redirect to the preview of the restoration."""
    return redirect(url_for(".restore", name=name, number=_wanted()), 303)


class RevisionPages(BaseView):
    """`/schedules/<name>/revisions` and `/schedules/<name>/restore`."""

    @expose("/<path:name>/revisions")
    def revisions(self, name: str) -> ResponseReturnValue:
        """Show the revisions, newest first."""
        schedule = services().schedules.get(name)
        found = services().history.revisions(schedule.uid, SHOWN)
        return self.render("schedules/detail/revisions.html", schedule=schedule, steps=steps(found))

    @expose("/<path:name>/restore", methods=["GET", "POST"])
    @shows_refusals("{name} was not restored", to=".revisions", again=_look_again)
    def restore(self, name: str) -> ResponseReturnValue:
        """GET shows the changes of restoring a revision; POST restores over the revision shown."""
        schedule = services().schedules.get(name)
        wanted = _wanted()
        earlier = services().history.revision(schedule.uid, wanted)
        if request.method != "POST":
            found = [
                line for line in lines(schedule.to_json(), earlier.definition) if not _stays(line)
            ]
            return self.render(
                "schedules/actions/restore.html", schedule=schedule, earlier=earlier, lines=found
            )
        saved = services().operations.restore(
            name,
            earlier.definition,
            restored=wanted,
            revision=revision_shown(),
            edit=edit_by_visitor(now=utc_now(), comment=comment()),
        )
        flash(
            f"{name} is again as it was in revision {wanted}. This is revision {saved.revision}.",
            "success",
        )
        return redirect(url_for(".show", name=name), 303)


def steps(found: Sequence[RevisionView]) -> list[Step]:
    """Return each revision with its changes. `found` is newest first."""
    return [
        Step(newer, None if older is None else lines(older.definition, newer.definition))
        for newer, older in zip_longest(found, found[1:])
    ]


def lines(before: dict[str, Any], after: dict[str, Any]) -> list[Line]:
    """Return the differences between two definitions, secrets masked."""
    return [
        Line(one.field, _text(one.field, one.before), _text(one.field, one.after))
        for one in difference.differences(before, after)
    ]


def _stays(line: Line) -> bool:
    """Whether restoring leaves the field alone."""
    return line.field.partition(".")[0] in ("paused", "skips")


def _text(field: str, value: Any) -> str:
    """Return a value as text, secrets masked; a dash for an empty value."""
    if value in (None, "", [], {}):
        return present.DASH
    hidden = masked_field(field, value)
    return hidden if isinstance(hidden, str) else json.dumps(hidden, ensure_ascii=False)


def _wanted() -> int:
    """Return the number of the revision to restore. Raises NotFound."""
    text = request.values.get("number", "")
    found = whole_number(text)
    if found is None or found > LARGEST_REVISION:
        raise NotFound(f"{text[:40]!r} is not the number of a revision")
    return found
