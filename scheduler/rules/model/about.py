"""Texts for people about a schedule's field, written beside the type in `rules.model.spec`.

Read by `rules.model.fields`.
"""

from dataclasses import dataclass
from typing import NamedTuple

SECONDS = "seconds"
"""The unit of lengths of time."""


class Choice(NamedTuple):
    """One value of a choice, with a name for people and the meaning."""

    value: str
    title: str
    words: str = ""


@dataclass(frozen=True, kw_only=True)
class About:
    """The part of a row of the field table that a type cannot express.

    `label` names the field in the console. `hint` is a sentence below the field, or, for a choice,
    the question above the answers. `option` is the help text of the command's option; without
    `option` the command has none. `flag`, `metavar` and `max_length`, the greatest number of
    characters, are derived from name and type by default. `empty` explains an empty field where no
    default value does. `unset` is the word on the command line for removing an optional value.
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
