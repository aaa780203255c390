"""A set of schedules <-> YAML: the operator's part of each schedule, without defaults, always in
one order. Pure.

A set holds names, jobs and rules; no uids, revisions, pauses or runs. A set exported by tags names
the tags, and speaks only for schedules with a tag of the set. The exclusion calendars of the
schedules are part of the set.

A set is read whole: every fault is reported with its place, and a set with a fault is refused.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

from scheduler.errors import Refused
from scheduler.rules.calendars.exclusions import Calendar
from scheduler.rules.model import fields
from scheduler.rules.model.spec import CrontabWhen, RedBeatWhen, Spec
from scheduler.sets import yaml_calendars, yaml_text
from scheduler.sets.faults import BadSet, SetFault, fault_at, shape_message
from scheduler.sets.yaml_text import Document

FORMAT = 1
MAX_SCHEDULES = 20_000

_HEADER = f"""\
# Schedules, as Beatdesk keeps them; format {FORMAT}. What is not written has its default.
#   beatdesk schedules plan FILE     what this would change
#   beatdesk schedules apply FILE    change it
"""
_WHENS: tuple[type[BaseModel], ...] = (*fields.RULES.values(), RedBeatWhen)
_SET_KEYS = ("version", "tags", "calendars", "schedules")
_AS_GIVEN = ("args", "kwargs", "schedule")
"""Fields whose values belong to jobs and to RedBeat, and are written unchanged."""


@dataclass(frozen=True)
class ScheduleSet:
    """Schedules, the tags of the export, if any, and the exclusion calendars in use."""

    schedules: list[Spec]
    tags: list[str] = field(default_factory=list)
    calendars: list[Calendar] = field(default_factory=list)

    def speaks_for(self, spec: Spec) -> bool:
        """Whether the absence of `spec` from the set means its deletion."""
        return not self.tags or bool(set(self.tags) & set(spec.tags))


def write(chosen: ScheduleSet) -> str:
    """The set as YAML."""
    tags = {"tags": sorted(chosen.tags)} if chosen.tags else {}
    named = [
        yaml_calendars.plain(calendar)
        for calendar in sorted(chosen.calendars, key=lambda calendar: calendar.name)
    ]
    calendars = {"calendars": named} if named else {}
    schedules = [_plain(spec) for spec in sorted(chosen.schedules, key=lambda spec: spec.name)]
    return _HEADER + yaml_text.write(
        {"version": FORMAT, **tags, **calendars, "schedules": schedules}
    )


def read(text: str) -> tuple[ScheduleSet, Document]:
    """The set, and the document with the line of each value. Raises BadYaml or BadSet."""
    document = yaml_text.read(text)
    faults = list(_faults_of_frame(document))
    if faults:
        raise BadSet(faults)
    calendars, faults = yaml_calendars.read(document)
    specs: list[Spec] = []
    first: dict[str, int] = {}
    for at, item in enumerate(document.value["schedules"]):
        try:
            spec = Spec.model_validate(item)
        except ValidationError as error:
            faults += _shape_faults(document, at, error)
            continue
        if spec.name in first:
            again = f"{spec.name!r} stands in schedules[{first[spec.name]}] already; leave one out"
            faults.append(fault_at(document, at, "name", again))
        first.setdefault(spec.name, at)
        specs.append(spec)
    if faults:
        raise BadSet(faults)
    return ScheduleSet(specs, document.value.get("tags") or [], calendars), document


def faults_of(
    chosen: ScheduleSet, document: Document, judge: Callable[[Spec], None]
) -> list[SetFault]:
    """Every schedule's first refusal by `judge`, with its place."""
    faults: list[SetFault] = []
    for at, spec in enumerate(chosen.schedules):
        try:
            judge(spec)
        except Refused as error:
            faults.append(fault_at(document, at, place_of(error), str(error)))
    return faults


def place_of(error: Refused) -> str:
    """Where in a schedule the field of a refusal stands."""
    return fields.place_of(error.field or "")


def _plain(spec: Spec) -> dict[str, Any]:
    """The YAML data of a schedule."""
    if isinstance(spec.when, CrontabWhen) and spec.when.resolved is not None:
        spec = spec.model_copy(update={"when": spec.when.model_copy(update={"resolved": None})})
    data = spec.model_dump(mode="json", exclude_defaults=True)
    data["when"] = {"kind": spec.when.kind, **data["when"]}
    return {
        key: _whole(data[key]) if key not in _AS_GIVEN else data[key]
        for key in Spec.model_fields
        if key in data
    }


def _whole(value: Any) -> Any:
    """The value with integral floats as integers."""
    if isinstance(value, dict):
        return {key: item if key in _AS_GIVEN else _whole(item) for key, item in value.items()}
    return (
        int(value)
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**53
        else value
    )


def _faults_of_frame(document: Document) -> Iterator[SetFault]:
    """The faults of the set itself."""
    frame = document.value
    if not isinstance(frame, dict):
        yield SetFault(
            "",
            document.lines.get(()),
            "a set begins with 'version: 1' and 'schedules:'; this has neither",
        )
        return
    for key in frame:
        if key not in _SET_KEYS:
            yield SetFault(
                key, document.lines.get((key,)), f"unknown key; known are {', '.join(_SET_KEYS)}"
            )
    if frame.get("version") != FORMAT or isinstance(frame.get("version"), bool):
        message = (
            f"{frame.get('version')!r:.40} is not a format that this version reads; write {FORMAT}"
        )
        yield SetFault("version", document.lines.get(("version",)), message)
    tags, schedules = frame.get("tags") or [], frame.get("schedules")
    if not isinstance(tags, list) or not all(isinstance(tag, str) and tag for tag in tags):
        yield SetFault("tags", document.lines.get(("tags",)), "a list of texts is wanted")
    yield from yaml_calendars.faults_of_frame(document)
    if not isinstance(schedules, list):
        yield SetFault(
            "schedules", document.lines.get(("schedules",)), "a list is wanted; write [] for none"
        )
    elif len(schedules) > MAX_SCHEDULES:
        message = (
            f"{len(schedules)} schedules are too many for one set; {MAX_SCHEDULES} are allowed, "
            "so divide it"
        )
        yield SetFault("schedules", document.lines.get(("schedules",)), message)


def _shape_faults(document: Document, at: int, error: ValidationError) -> Iterator[SetFault]:
    """Pydantic's findings with their paths in the text."""
    for found in error.errors(include_url=False):
        location = [str(part) for part in found["loc"]]
        if location[:1] == ["when"] and len(location) > 1:
            del location[1]  # the kind, which is not a step of the path
        readable = (
            _readable_keys(location[:-1], found) if found["type"] == "extra_forbidden" else []
        )
        yield fault_at(document, at, ".".join(location), shape_message(found, readable))


def _readable_keys(parent: list[str], found: Mapping[str, Any]) -> list[str]:
    """The keys allowed beside an unknown key."""
    if parent == ["when"]:
        kind = found["loc"][1]
        return next(
            list(model.model_fields)
            for model in _WHENS
            if model.model_fields["kind"].default == kind
        )
    if parent and parent[0] in ("policies", "window"):
        return sorted(fields.MODELS[parent[0]].model_fields)
    return list(Spec.model_fields)
