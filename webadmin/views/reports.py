"""Files written by jobs: list, view, download.

A report may hold anything, and so is shown in a sandbox: no scripts, no forms, no requests.
"""

from flask import abort, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose

from scheduler.clock import utc_now
from scheduler.history.queries.views import ReportView
from webadmin.access.recording import record_export
from webadmin.guard import Guard
from webadmin.paths import file_below
from webadmin.security import sandbox
from webadmin.services import services

PAGE = 50
SHOWN = {"text/html": "text/html; charset=utf-8", "text/plain": "text/plain; charset=utf-8"}
"""Media types shown in the browser; all others are downloads."""

KINDS = {
    "text/html": "page",
    "text/csv": "CSV",
    "text/plain": "text",
    "application/pdf": "PDF",
    "application/json": "JSON",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "XLSX",
}
"""Names of the usual kinds of files."""


class ReportsView(Guard, BaseView):
    """`/reports/`."""

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """Show the list of reports, newest first."""
        after = request.args.get("after") or None
        history = services().history
        page = history.reports(after, PAGE)
        return self.render(
            "reports/index.html",
            page=page,
            shown=SHOWN,
            kinds=KINDS,
            makers=history.makers([report.run_id for report in page.items if report.run_id]),
            now=utc_now(),
            next_url=url_for("reports.index", after=page.next) if page.next else None,
            first_url=url_for("reports.index") if after else None,
        )

    @expose("/<id>")
    def show(self, id: str) -> ResponseReturnValue:
        """Send the report for display in the browser; a download for other media types."""
        report = services().history.report(id)
        media_type = SHOWN.get(report.media_type.partition(";")[0].strip().lower())
        return self._send(report, media_type, as_attachment=media_type is None)

    @expose("/<id>/download")
    def download(self, id: str) -> ResponseReturnValue:
        """Send the report as a download."""
        report = services().history.report(id)
        record_export(report.title)
        return self._send(report, None, as_attachment=True)

    @staticmethod
    def _send(
        report: ReportView, media_type: str | None, *, as_attachment: bool
    ) -> ResponseReturnValue:
        path = file_below(services().settings.reports_dir, report.path)
        if path is None:
            abort(
                404,
                "The file of this report is gone. The job that made it can be run again from its "
                "schedule.",
            )
        return sandbox(
            send_file(
                path,
                mimetype=media_type or "application/octet-stream",
                as_attachment=as_attachment,
                download_name=_header_text(path.name),
                etag=False,
                max_age=0,
            )
        )


def _header_text(name: str) -> str:
    """Return a file's name as a header may have it: control characters become `_`."""
    return "".join(letter if letter.isprintable() else "_" for letter in name)
