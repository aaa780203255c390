"""The audit list: who changed which schedule, when, and why."""

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose

from scheduler.clock import utc_now
from webadmin import desk
from webadmin.guard import Guard
from webadmin.healed import healed

PAGE = 50


class ChangesView(Guard, BaseView):
    """`/changes/`."""

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """All revisions of all schedules, newest first."""
        after = request.args.get("after") or None
        page = desk().history.changes(after, PAGE)
        return self.render(
            "changes/index.html",
            page=page,
            healed=healed(utc_now()),
            next_url=url_for("changes.index", after=page.next) if page.next else None,
            first_url=url_for("changes.index") if after else None,
        )
