"""Rights by tag: which endpoints a role for a tag opens, and for which schedules.

The guard asks `admits` before a view begins. Beside it, `check_change` stands between every
decision of the schedule store and its write, so that no view can change a schedule outside of the
caller's tags, nor move one into or out of them.
"""

from enum import Enum
from typing import Any

from flask import g, has_request_context, request
from flask_login import current_user

from scheduler.accounts.policy import Role
from scheduler.accounts.rights import Rights
from scheduler.errors import NotFound, NotPermitted, UnreadableEntry
from scheduler.rules.model.spec import Schedule
from webadmin.services import services


class Place(Enum):
    """Where a request names the schedules that it is about."""

    ADDRESS = "the schedule in the address"
    RUN = "the schedule of the run in the address"
    FORM = "the schedules in the form"
    NEW = "the schedule that is saved, judged at the save"


BY_TAG: dict[str, Place] = {
    "runs.cancel": Place.RUN,
    "runs.rerun": Place.RUN,
    "schedules.create": Place.NEW,
    "schedules.arguments": Place.NEW,
    "schedules.clone": Place.NEW,
    "schedules.revive": Place.NEW,
    "schedules.edit": Place.ADDRESS,
    "schedules.enable": Place.ADDRESS,
    "schedules.disable": Place.ADDRESS,
    "schedules.run": Place.ADDRESS,
    "schedules.pause": Place.ADDRESS,
    "schedules.resume": Place.ADDRESS,
    "schedules.skip": Place.ADDRESS,
    "schedules.keep": Place.ADDRESS,
    "schedules.drop_waiting": Place.ADDRESS,
    "schedules.move_waiting": Place.ADDRESS,
    "schedules.backfill": Place.ADDRESS,
    "schedules.restore": Place.ADDRESS,
    "schedules.reset": Place.ADDRESS,
    "schedules.yaml": Place.ADDRESS,
    "schedules.delete": Place.ADDRESS,
    "schedules.bulk": Place.FORM,
    "schedules.bulk_pause": Place.FORM,
    "schedules.bulk_change": Place.FORM,
    "schedules.bulk_export": Place.FORM,
    "schedules.bulk_delete": Place.FORM,
}
"""Endpoints that a role for a tag opens; all others need the role for everything."""

MOST_NAMES = 200


def current_rights() -> Rights:
    """Return the rights of the caller; none for a visitor without a login."""
    rights = getattr(current_user, "rights", None)
    return rights if isinstance(rights, Rights) else Rights()


def admits(endpoint: str, least: Role, rights: Rights) -> bool:
    """Whether a role for a tag admits the request, whose endpoint needs the role `least`."""
    place = BY_TAG.get(endpoint)
    if place is None or not rights.covers_by_tag(least):
        return False
    if place is Place.NEW:
        return True
    if place is Place.FORM:
        names = request.form.getlist("name")
        return len(names) <= MOST_NAMES and all(_covers(rights, least, name) for name in names)
    values: dict[str, Any] = request.view_args or {}
    if place is Place.RUN:
        schedule = _schedule_of_run(str(values.get("id", "")))
        return schedule is not None and rights.covers_schedule(least, schedule.tags)
    return _covers(rights, least, str(values.get("name", "")))


def shows(endpoint: str, least: Role, rights: Rights, schedule: Schedule | None) -> bool:
    """Whether a page offers a button by a role for a tag.

    Without `schedule`, the schedule or run in the page's own address counts; on a page about many,
    a role for any tag does.
    """
    place = BY_TAG.get(endpoint)
    if place is None or not rights.covers_by_tag(least):
        return False
    if schedule is not None:
        return rights.covers_schedule(least, schedule.tags)
    values: dict[str, Any] = request.view_args or {}
    if place is Place.ADDRESS and "name" in values:
        return _covers(rights, least, str(values["name"]))
    if place is Place.RUN and "id" in values:
        found = _schedule_of_run(str(values["id"]))
        return found is not None and rights.covers_schedule(least, found.tags)
    return True


def check_change(old: Schedule | None, new: Schedule) -> None:
    """Refuse a change outside of the caller's tags. Raises NotPermitted.

    The schedule must carry one of the tags before and after the change. Changes outside of a
    request, and by callers with a role for everything, pass.
    """
    least: Role | None = g.get("least_role") if has_request_context() else None
    rights = current_rights() if least is not None else Rights()
    if least is None or rights.covers(least):
        return
    for schedule in (new if old is None else old, new):
        if not rights.covers_schedule(least, schedule.tags):
            raise refusal(rights, least, schedule.name)


def refusal(rights: Rights, least: Role, name: str) -> NotPermitted:
    """Return the refusal of a change to a schedule without one of the caller's tags."""
    tags = ", ".join(rights.tags_with(least)) or "none"
    return NotPermitted(
        f"{name}: you are {least} of schedules with the tags: {tags}; give it one of these tags, "
        "or ask an administrator",
        field="tags",
    )


def _covers(rights: Rights, least: Role, name: str) -> bool:
    """Whether the rights cover a schedule by its name. A missing schedule is left to the view."""
    try:
        schedule = services().schedules.get(name)
    except NotFound:
        return True
    except UnreadableEntry:
        return False
    return rights.covers_schedule(least, schedule.tags)


def _schedule_of_run(run_id: str) -> Schedule | None:
    try:
        run = services().history.run(run_id)
    except NotFound:
        return None
    return services().schedules.find(run.schedule, run.schedule_uid)
