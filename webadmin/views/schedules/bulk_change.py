"""Bulk changes of tags, queue or ownership: a form for the details, then all or nothing."""

from dataclasses import dataclass, field

from flask import flash, request
from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose

from scheduler.clock import utc_now
from scheduler.errors import Refused, RefusedTogether, Unavailable
from scheduler.rules.phrases import counted
from scheduler.schedules import edits
from scheduler.schedules.bulk import Outcome
from scheduler.schedules.edits import Decide
from webadmin.form_values import comment
from webadmin.forms.fields import tags
from webadmin.guard import edit_by_visitor
from webadmin.refusals import reason
from webadmin.services import services
from webadmin.views.schedules.actions import back, listed_row, selected

ACTIONS = {"tag": "tagged", "queue": "sent to another queue", "adopt": "adopted"}
SHOWN = 10


@dataclass(frozen=True)
class BulkForm:
    """The typed texts, and error messages by field (`errors`) or by schedule (`reasons`)."""

    add: str = ""
    remove: str = ""
    queue: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)


class BulkChangePages(BaseView):
    """`/schedules/bulk-change`."""

    @expose("/bulk-change", methods=["POST"])
    def bulk_change(self) -> ResponseReturnValue:
        """Show the form for the details; apply the change once the form is complete."""
        names = selected()
        if not names:
            return back()
        action = request.form.get("action", "")
        form = BulkForm(_typed("add"), _typed("remove"), _typed("queue"))
        if action in ACTIONS:
            try:
                done = services().schedules.bulk.change(names, _decision(action, form))
            except RefusedTogether as refused:
                form = BulkForm(form.add, form.remove, form.queue, reasons=refused.reasons)
            except (Refused, Unavailable) as error:
                form = BulkForm(
                    form.add, form.remove, form.queue, errors={error.field or "form": reason(error)}
                )
            else:
                _say(done, ACTIONS[action])
                return back()
        listed = [item for name in names if (item := listed_row(name)) is not None]
        status = 422 if form.errors or form.reasons else 200
        return self.render(
            "schedules/actions/bulk_change.html",
            listed=listed,
            form=form,
            errors=form.errors,
            next=request.form.get("next", ""),
            plain=[
                item
                for item in listed
                if item.schedule is not None and item.schedule.origin == "redbeat"
            ],
        ), status


def _decision(action: str, form: BulkForm) -> Decide:
    """Return the change for each schedule. Raises Refused."""
    edit = edit_by_visitor(now=utc_now(), comment=comment())
    if action == "adopt":
        return edits.adopting(edit=edit)
    calls = services().schedules.bulk.calls(edit.now)
    if action == "queue":
        return edits.queueing(form.queue or None, calls, edit=edit)
    add, remove = tags(form.add), tags(form.remove)
    if not add and not remove:
        raise Refused("Name a tag to put on, or one to take off.", field="add")
    return edits.tagging(add, remove, calls, edit=edit)


def _typed(name: str) -> str:
    return request.form.get(name, "").strip()[:1000]


def _say(done: list[Outcome], what: str) -> None:
    """Flash the outcome, with at most SHOWN names."""
    changed = [one.schedule.name for one in done if one.changed]
    same = len(done) - len(changed)
    if changed:
        more = f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
        count = counted(len(changed), "schedule is", "schedules are")
        flash(f"{count} {what}: {', '.join(changed[:SHOWN])}{more}.", "success")
    if same:
        flash(f"{counted(same, 'was', 'were')} so already.", "info")
