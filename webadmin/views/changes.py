"""The audit list: changes of schedules and calendars, and actions on dead letters.

Each entry has the actor, the time and the comment.
"""

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose

from scheduler.clock import utc_now
from webadmin.guard import Guard
from webadmin.repairs import healed
from webadmin.services import services

PAGE = 50


class ChangesView(Guard, BaseView):
    """`/changes/`."""

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """Show all changes, or those of one kind of record, newest first."""
        after = request.args.get("after") or None
        of = request.args.get("of") or None
        page = services().history.changes(after, PAGE, of=of)
        return self.render(
            "changes/index.html",
            page=page,
            of=of,
            healed=healed(utc_now()),
            next_url=url_for("changes.index", of=of, after=page.next) if page.next else None,
            first_url=url_for("changes.index", of=of) if after else None,
        )
