"""The deleted schedules, with a way back to each revision."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose

from scheduler.clock import utc_now
from scheduler.errors import NotFound, Refused, StaleRevision
from scheduler.history.queries.views import RevisionView
from webadmin.form_values import LARGEST_REVISION, comment, number, revision_shown
from webadmin.guard import edit_by_visitor
from webadmin.refusals import shows_refusals
from webadmin.services import services
from webadmin.views.schedules.revisions import SHOWN, steps

PAGE = 50


def _name() -> str:
    return str(request.values.get("name", ""))


def _look_again() -> ResponseReturnValue:
    return redirect(url_for(".revive", name=_name()), 303)


class DeletedPages(BaseView):
    """`/schedules/deleted` and `/schedules/deleted/restore`."""

    @expose("/deleted")
    def deleted(self) -> ResponseReturnValue:
        """Show all deleted schedules, newest first."""
        after = request.args.get("after") or None
        page = services().history.deleted(after, PAGE)
        return self.render(
            "schedules/list/deleted.html",
            page=page,
            next_url=url_for(".deleted", after=page.next) if page.next else None,
            first_url=url_for(".deleted") if after else None,
        )

    @expose("/deleted/restore", methods=["GET", "POST"])
    @shows_refusals("It was not restored", to=_look_again)
    def revive(self) -> ResponseReturnValue:
        """GET shows the revisions of a deleted schedule; POST restores one of them."""
        gone = _gone(_name())
        if request.method != "POST":
            found = steps(services().history.revisions(gone.schedule_uid, SHOWN))
            return self.render("schedules/actions/revive.html", gone=gone, steps=found)
        wanted = number("number")
        if wanted is None or wanted > LARGEST_REVISION:
            raise Refused("Choose the revision to restore.", field="revision")
        if revision_shown() != gone.revision:
            raise StaleRevision(
                f"{gone.name!r} was restored and deleted again since it was read",
                given=revision_shown(),
                current=gone.revision,
            )
        saved = services().operations.revive(
            gone, wanted, services().history, edit=edit_by_visitor(now=utc_now(), comment=comment())
        )
        flash(
            f"{saved.name} is back as it was in revision {wanted}. Missed ticks are not run.",
            "success",
        )
        return redirect(url_for(".show", name=saved.name), 303)


def _gone(name: str) -> RevisionView:
    """Return the latest deletion of a schedule with the name. Raises NotFound."""
    found = services().history.deleted_as(name)
    if found is None:
        raise NotFound(
            f"no deleted schedule was called {name[:80]!r}; the page of deleted schedules lists all"
        )
    return found
