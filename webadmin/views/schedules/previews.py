"""What a `when` means, for the editor's right side: words, coming ticks, warnings. The rules decide, this gathers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import jsonify, request
from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose
from pydantic import TypeAdapter, ValidationError

from scheduler.clock import utc_now
from scheduler.errors import Refused
from scheduler.published import rfc3339
from scheduler.rules.preview import preview
from scheduler.rules.spec import CrontabWhen, When
from webadmin.forms.draft import Draft, typed
from webadmin.forms.reading import Fault, read_when
from webadmin.views.schedules.reviewing import at_field

TICKS = 10

_WHEN: TypeAdapter[When] = TypeAdapter(When)


@dataclass(frozen=True)
class Coming:
    """The meaning of a `when` from now on."""

    words: str
    ticks: list[datetime]
    warnings: list[str]
    zone: str

    def local(self, tick: datetime) -> datetime:
        """A tick in the schedule's zone."""
        return tick.astimezone(ZoneInfo(self.zone))

    def to_json(self) -> dict[str, Any]:
        """The published form, and the zone that the schedule is meant in."""
        ticks = [rfc3339(tick) for tick in self.ticks]
        return {"words": self.words, "ticks": ticks, "warnings": self.warnings, "timezone": self.zone}


class PreviewPages(BaseView):
    """`/schedules/preview`, asked by the editor while somebody types."""

    @expose("/preview", methods=["POST"])
    def preview(self) -> ResponseReturnValue:
        """Words, ticks and warnings; 422 with the field where the rule cannot be read."""
        draft = Draft()
        try:
            if request.is_json:
                when = _published(request.get_json())
            else:
                draft = typed(request.form)
                when = read_when(draft)
            return jsonify(coming(when, now=utc_now()).to_json())
        except Fault as fault:
            return jsonify(field=fault.field, error=str(fault)), 422
        except Refused as error:
            field, text = next(iter(at_field(draft, error).items()))
            return jsonify(field=field, error=text), 422


def coming(when: When, *, now: datetime) -> Coming:
    """The next ticks. An interval that is not saved yet counts from now."""
    shown = preview(when, now, TICKS)
    return Coming(shown.words, shown.ticks, shown.warnings, when.timezone if isinstance(when, CrontabWhen) else "UTC")


def coming_of(draft: Draft, *, now: datetime) -> Coming | None:
    """The preview of a draft; none while its `when` cannot be read."""
    try:
        return coming(read_when(draft), now=now)
    except (Fault, Refused):
        return None


def _published(body: Any) -> When:
    when = body.get("when") if isinstance(body, dict) else None
    try:
        return _WHEN.validate_python(when)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(str(part) for part in fault["loc"]) or "when"
        raise Fault("when", f"{place}: {fault['msg']}") from None
