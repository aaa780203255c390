"""What people are to know of a schedule's field: stands beside its type in `rules.model.spec`,
read by `rules.model.fields`.
"""

from dataclasses import dataclass
from typing import NamedTuple

SECONDS = "seconds"
"""The unit of lengths of time."""


class Choice(NamedTuple):
    """One value that a field may have, its name for people, and what it means."""

    value: str
    title: str
    words: str = ""


@dataclass(frozen=True, kw_only=True)
class About:
    """The part of a row of the field table that a type cannot say.

    `label` names the field in the console. `hint` is a sentence below it, or, for a choice, the
    question that is asked. `option` is the help text of the command's option; without one there is
    no option. `flag` and `metavar` follow from name and type where they are not given, and so does
    `max_length`, the number of characters that may be typed. `empty` says what an empty field means
    where no default value says so, and `unset` is the word with which the command takes an optional
    value away.
    """

    label: str
    hint: str = ""
    option: str = ""
    flag: str = ""
    metavar: str = ""
    unit: str = ""
    max_length: int = 60
    is_long: bool = False
    empty: str = ""
    unset: str = "none"
    choices: tuple[Choice, ...] = ()
