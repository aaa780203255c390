"""A user's crontab file -> candidates. Pure.

A command is not a job, so each command needs a mapping: a pattern for the whole command with named
groups as the job's arguments; or the command is a job's name with arguments,
`reports.job_summary days=1`. Day fields are read as cron reads them, and both readings are shown
where Celery's differs. A schedule takes its name from a comment `# name: nightly` above its line,
or from its job and a fingerprint of the line, so a second import finds the first one's name.
"""

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pydantic import JsonValue, ValidationError

from scheduler.errors import BeatdeskError, Refused
from scheduler.rules import ticks
from scheduler.rules.check import JOB
from scheduler.rules.crontab import dialect
from scheduler.rules.model.spec import CrontabWhen, Spec
from scheduler.rules.time import zones
from scheduler.sets.found import Aside, Candidate, Found, Readings, fingerprint, usable_name

TICKS_SHOWN = 3
LONGEST_LINE = 10_000

_VARIABLE = re.compile(r"\s*(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?P<value>.*?)\s*")
_NAME = re.compile(r"#\s*name:\s*(?P<name>\S+)\s*")
_ARGUMENT = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<value>.*)", re.DOTALL)
_PERCENT = re.compile(r"(?<!\\)%")
_ZONES = ("CRON_TZ", "TZ")


@dataclass(frozen=True)
class Mapping:
    """A pattern for whole commands, and the job to run instead."""

    pattern: re.Pattern[str]
    job: str

    @classmethod
    def read(cls, text: str) -> "Mapping":
        """The mapping in `PATTERN=JOB`. Raises Refused."""
        pattern, equals, job = text.rpartition("=")
        if not equals or not pattern or not JOB.fullmatch(job):
            raise Refused(
                f"map: {text!r} must be PATTERN=JOB, as in '/opt/report.sh=reports.job_summary'",
                field="map",
            )
        try:
            return cls(re.compile(pattern), job)
        except re.error as error:
            raise Refused(
                f"map: {pattern!r} is not a regular expression: {error}", field="map"
            ) from None


@dataclass(frozen=True)
class _Surroundings:
    """The zone and name given by the lines above a line."""

    timezone: str
    source_zone: str | None = None
    name: str | None = None


def read(text: str, mappings: Sequence[Mapping], *, timezone: str, now: datetime) -> Found:
    """The candidates of a crontab file, line by line; bad lines are refused by themselves."""
    found, around = Found(), _Surroundings(timezone)
    for number, line in enumerate(text.splitlines(), start=1):
        source, stripped = f"line {number}", line.strip()
        if not stripped or stripped.startswith("#"):
            named = _NAME.fullmatch(stripped)
            around = replace(
                around, name=named["name"] if named else around.name if stripped else None
            )
            continue
        try:
            if variable := _VARIABLE.fullmatch(line):
                around = _take_variable(found, source, variable["name"], variable["value"], around)
                continue
            found.candidates.append(
                _candidate(source, stripped, around, mappings, found=found, now=now)
            )
        except BeatdeskError as error:
            found.refused.append(Aside(source, str(error)))
        except ValidationError as error:
            found.refused.append(Aside(source, str(error.errors()[0]["msg"])))
        around = replace(around, name=None)
    return found


def _take_variable(
    found: Found, source: str, name: str, value: str, around: _Surroundings
) -> _Surroundings:
    """The surroundings after a line with a variable: a time zone, or an ignored variable."""
    if name not in _ZONES:
        why = f"{name} is for commands that cron starts; a worker has an environment of its own"
        found.ignored.append(Aside(source, why))
        return around
    zone = value.strip("'\"").removeprefix(":")
    zones.zone(zone)
    return replace(
        around, timezone=zone, source_zone=f"{name}={zone} in {source} is read as the time zone"
    )


def _candidate(
    source: str,
    line: str,
    around: _Surroundings,
    mappings: Sequence[Mapping],
    *,
    found: Found,
    now: datetime,
) -> Candidate:
    """The candidate of a line of five fields, or a macro, and a command. Raises Refused."""
    if len(line) > LONGEST_LINE:
        raise Refused(f"the line has {len(line)} characters; {LONGEST_LINE} are read")
    parts = line.split(None, 1 if line.startswith("@") else 5)
    count = 1 if line.startswith("@") else 5
    written, command = " ".join(parts[:count]), parts[count] if len(parts) > count else ""
    either = dialect.parse(dialect.resolve(written, ""), "or").on.either
    when = CrontabWhen(
        crontab=written, timezone=around.timezone, day_match="or" if either else "and"
    )
    if not command:
        raise Refused(f"{line[:80]!r} has no command after its fields")
    job, args, kwargs = _call(command, mappings)
    spec = Spec(
        name=_name(around, job, when, command),
        job=job,
        when=when,
        args=args,
        kwargs=kwargs,
        description=f"from a crontab: {command}"[:200],
    )
    twin = next((other.source for other in found.candidates if other.spec.name == spec.name), None)
    if twin is not None:
        raise Refused(
            f"{twin} makes a schedule {spec.name!r} already; give this one another '# name:' "
            "above it"
        )
    notes = (around.source_zone,) if around.source_zone else ()
    return Candidate(
        source, spec, notes, _readings(dialect.settle(when, ""), now) if either else None
    )


def _call(
    command: str, mappings: Sequence[Mapping]
) -> tuple[str, list[JsonValue], dict[str, JsonValue]]:
    """The job and arguments of a command. Raises Refused."""
    if _PERCENT.search(command):
        raise Refused(
            "the command has a %, after which cron feeds it text; a job takes arguments "
            r"(a plain % is \%)"
        )
    command = command.replace(r"\%", "%").strip()
    for mapping in mappings:
        if matched := mapping.pattern.fullmatch(command):
            return (
                mapping.job,
                [],
                {
                    name: _value(text)
                    for name, text in matched.groupdict().items()
                    if text is not None
                },
            )
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise _unmapped(command, f"its words cannot be split ({error})") from None
    if not words or not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", words[0]):
        raise _unmapped(command, "it is not the name of a job")
    args: list[JsonValue] = []
    kwargs: dict[str, JsonValue] = {}
    for word in words[1:]:
        named = _ARGUMENT.fullmatch(word)
        if named:
            kwargs[named["name"]] = _value(named["value"])
        else:
            args.append(_value(word))
    return words[0], args, kwargs


def _unmapped(command: str, why: str) -> Refused:
    return Refused(
        f"the command {command[:80]!r} is mapped to no job: {why}; say which one with --map "
        "'PATTERN=JOB'",
        field="job",
    )


def _value(text: str) -> JsonValue:
    """An argument: the JSON value, or else the text."""
    try:
        value: Any = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return text
    return value  # type: ignore[no-any-return]


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _name(around: _Surroundings, job: str, when: CrontabWhen, command: str) -> str:
    if around.name:
        return around.name
    line = json.dumps([when.crontab, when.timezone, command])
    return f"{usable_name(job)[:180]}-{fingerprint(line)}"


def _readings(when: CrontabWhen, now: datetime) -> Readings:
    """The next ticks by either reading."""
    both = when.model_copy(update={"day_match": "and"})
    return Readings(
        ticks.next_ticks(when, now, TICKS_SHOWN), ticks.next_ticks(both, now, TICKS_SHOWN)
    )
