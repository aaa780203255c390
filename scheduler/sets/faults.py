"""The faults of a set, with their places. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.errors import Refused
from scheduler.rules.phrases import counted
from scheduler.sets.yaml_text import Document, Path

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

FAULTS_SHOWN = 50


@dataclass(frozen=True)
class SetFault:
    """A fault and its place: `schedules[3].when.crontab`, and the line (from 1)."""

    path: str
    line: int | None
    message: str

    def __str__(self) -> str:
        place = f"{self.path} (line {self.line})" if self.line else self.path
        return f"{place}: {self.message}" if place else self.message


class BadSet(Refused):
    """The set has faults, and nothing is applied."""

    def __init__(self, faults: Sequence[SetFault]) -> None:
        self.faults = list(faults)
        shown = [str(fault) for fault in self.faults[:FAULTS_SHOWN]]
        if len(self.faults) > FAULTS_SHOWN:
            shown.append(f"and {len(self.faults) - FAULTS_SHOWN} more")
        count = "one fault" if len(self.faults) == 1 else counted(len(self.faults), "fault")
        super().__init__(
            "\n  ".join([f"the set has {count}, so nothing was changed", *shown]), field="schedules"
        )


def fault_in(document: Document, part: str, at: int, where: Path, message: str) -> SetFault:
    """A fault in item number `at` of a list of the set; `where` is a path in the item, such as
    ("excluded", 2).
    """
    path: Path = (part, at, *where)
    while len(path) > 2 and path not in document.lines:
        path = path[:-1]
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in where)
    return SetFault(f"{part}[{at}]{steps}", document.lines.get(path), message)


def fault_at(document: Document, at: int, where: str, message: str) -> SetFault:
    """A fault in schedule number `at`; `where` is a path in the schedule, such as `when.crontab`,
    or empty.
    """
    return fault_in(document, "schedules", at, tuple(where.split(".")) if where else (), message)


def shape_message(found: "ErrorDetails", readable_keys: Sequence[str]) -> str:
    """Pydantic's finding in our words; `readable_keys` are the keys allowed beside an unknown
    key.
    """
    if found["type"] == "extra_forbidden":
        return f"unknown key; known are {', '.join(readable_keys)}"
    if found["type"] == "missing":
        return "this is missing"
    message = found["msg"].removeprefix("Value error, ")
    if found["type"] != "union_tag_not_found" and not isinstance(found["input"], dict | list):
        return f"{found['input']!r:.80} cannot be used: {message}"
    return message
