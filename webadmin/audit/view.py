"""The access log: who logged in, changed accounts and tokens, and took data out."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose

from scheduler.clock import utc_now
from scheduler.errors import Refused
from scheduler.history.queries.access import KINDS, AccessView
from webadmin.access.recording import record_export
from webadmin.guard import Guard
from webadmin.services import services

PAGE = 50
_LONGEST = 254


class AccessLogView(Guard, BaseView):
    """`/access-log/`, for administrators."""

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """Show the access log, newest first, by person, kind and day."""
        after = request.args.get("after") or None
        chosen = _texts()
        page = services().access_history.page(**_filters(chosen), after=after, limit=PAGE)
        return self.render(
            "audit/index.html",
            page=page,
            filters=chosen,
            kinds=KINDS,
            next_url=url_for(".index", **chosen, after=page.next) if page.next else None,
            first_url=url_for(".index", **chosen) if after else None,
        )

    @expose("/export", methods=["POST"])
    def export(self) -> ResponseReturnValue:
        """Send the chosen rows as JSON lines, oldest first. The export is a row too."""
        chosen = _texts()
        rows = services().access_history.rows(**_filters(chosen))
        shown = ", ".join(f"{name} {value}" for name, value in chosen.items())
        record_export("access log", shown)
        return Response(
            stream_with_context(_lines(rows)),
            mimetype="application/x-ndjson",
            headers={"Content-Disposition": 'attachment; filename="access-log.jsonl"'},
        )


def _lines(rows: Iterator[AccessView]) -> Iterator[str]:
    for row in rows:
        yield json.dumps(row.model_dump(mode="json")) + "\n"


def _texts() -> dict[str, Any]:
    """The filters that are not empty, as they were typed."""
    names = ("person", "kind", "since", "until")
    typed = {name: request.values.get(name, "").strip() for name in names}
    return {name: value for name, value in typed.items() if value}


def _filters(chosen: dict[str, str]) -> dict[str, Any]:
    """The filters of the query. `until` includes its day. Raises Refused."""
    until = _day(chosen.get("until"), "until")
    return {
        "person": chosen.get("person", "")[:_LONGEST] or None,
        "kind": chosen.get("kind"),
        "since": _day(chosen.get("since"), "since"),
        "until": None if until is None else until + timedelta(days=1),
    }


def _day(text: str | None, field: str) -> datetime | None:
    """The beginning of a day in the default zone; None without a text. Raises Refused."""
    if not text:
        return None
    zone = ZoneInfo(services().settings.default_timezone)
    try:
        day = datetime.strptime(text[:10], "%Y-%m-%d").replace(tzinfo=zone)
    except ValueError:
        day = None
    if day is None or len(text) > 10 or not 2000 <= day.year <= utc_now().year + 1:
        raise Refused(f"{field}: {text[:40]!r} is not a day; write it like 2026-11-30", field=field)
    return day
