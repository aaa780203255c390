"""The list: a page of schedules, each with the results of its last runs. Changes nothing."""

from flask import request
from flask_admin import BaseView, expose

from scheduler.clock import utc_now
from scheduler.rules.policies.window import is_overdue
from webadmin.forms import filters
from webadmin.services import services
from webadmin.views.schedules import rows
from webadmin.views.schedules.recent import last_results

PAGE = 40
"""Rows per page; a page of full rows stays below 100 kB."""

BARS = 16


class ListPages(BaseView):
    """`/schedules/`."""

    @expose("/")
    def index(self) -> str:
        """Show the page of the list for the query string."""
        wanted = filters.wanted(request.args)
        now = utc_now()
        page = services().schedules.page(
            search=wanted.search,
            state=wanted.state,
            job=wanted.job,
            tag=wanted.tag,
            after=request.args.get("after") or None,
            limit=PAGE,
            now=now,
        )
        runs = last_results(rows.by_uid(page.items), BARS)
        jobs = services().catalogue.jobs(now)
        return self.render(
            "schedules/list/list.html",
            rows=rows.rows(page.items, runs.by_uid, now),
            history_away=runs.away,
            overdue=any(
                line.next is not None and is_overdue(line.next, now) for line in page.items
            ),
            total=page.total,
            is_counted=page.is_counted,
            next_query=wanted.query(after=page.next) if page.next else None,
            first_query=wanted.query() if request.args.get("after") else None,
            filters=wanted,
            jobs=sorted(job.name for job in jobs),
            offered={job.name for job in jobs if not job.is_gone},
        )
