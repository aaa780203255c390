"""The rights of a person or of a token: a role for everything, and roles for single tags. Pure.

A right by tag counts for schedules that carry the tag. It never adds to what a person sees: whoever
may log in with a role sees all schedules.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from scheduler.accounts.policy import ROLES, Role
from scheduler.errors import Refused

Scope = Literal["read", "operate", "admin"]
"""Scopes of tokens in ascending order."""

SCOPES: tuple[Scope, ...] = get_args(Scope)
ROLE_OF_SCOPE: dict[str, Role] = {"read": "viewer", "operate": "operator", "admin": "admin"}
TAG_ROLES: tuple[Role, ...] = ("operator", "admin")
"""Roles that can be given for a tag: everybody with a login sees everything anyway."""

MOST_TAGS = 50
LONGEST_TAG = 50
_TAG = re.compile(r"[^\x00-\x1f\x7f,\ud800-\udfff]+")


@dataclass(frozen=True)
class Rights:
    """A role for everything, None for no rights at all, and the roles by tag."""

    role: Role | None = None
    tags: Mapping[str, Role] = field(default_factory=dict)

    def covers(self, least: Role) -> bool:
        """Whether the role for everything is at least `least`."""
        return _rank(self.role) >= _rank(least)

    def covers_by_tag(self, least: Role) -> bool:
        """Whether there is a tag with a role of at least `least`."""
        return self.role is not None and any(
            _rank(role) >= _rank(least) for role in self.tags.values()
        )

    def covers_schedule(self, least: Role, tags: Iterable[str]) -> bool:
        """Whether the rights are at least `least` for a schedule with these tags."""
        if self.covers(least):
            return True
        return self.role is not None and any(
            _rank(self.tags.get(tag)) >= _rank(least) for tag in tags
        )

    def tags_with(self, least: Role) -> list[str]:
        """Return the tags with a role of at least `least`, in order."""
        return sorted(tag for tag, role in self.tags.items() if _rank(role) >= _rank(least))

    def limited(self, scope: Scope, tag: str | None) -> "Rights":
        """Return the part of the rights that a token with the scope, and perhaps a tag, has.

        A token with a tag sees everything and changes schedules with the tag only.
        """
        most = ROLE_OF_SCOPE[scope]
        if tag is None:
            return Rights(
                _lower(self.role, most),
                {name: role for name, held in self.tags.items() if (role := _lower(held, most))},
            )
        for_tag = max((self.role, self.tags.get(tag)), key=_rank)
        role = _lower(for_tag, most)
        return Rights(_lower(self.role, "viewer"), {} if role is None else {tag: role})


def check_scope(scope: str) -> Scope:
    """The scope of this name. Raises Refused for another name."""
    for existing in SCOPES:
        if scope == existing:
            return existing
    raise Refused(
        f"scope: there is no scope {scope[:40]!r}; use one of {', '.join(SCOPES)}", field="scope"
    )


def check_tag(tag: str) -> str:
    """The tag without spaces around. Raises Refused for an empty or overlong one."""
    text = tag.strip()
    if len(text) > LONGEST_TAG or not _TAG.fullmatch(text):
        raise Refused(
            f"tag: {text[:40]!r} cannot be a tag; write one word of a schedule's tags, such as "
            "finance",
            field="tag",
        )
    return text


def check_tag_role(role: str) -> Role:
    """The role of this name for a tag. Raises Refused for another name."""
    for existing in TAG_ROLES:
        if role == existing:
            return existing
    raise Refused(
        f"role: {role[:40]!r} cannot be given for a tag; use one of {', '.join(TAG_ROLES)}",
        field="role",
    )


def _rank(role: str | None) -> int:
    return 0 if role is None else 1 + ROLES.index(role)


def _lower(role: Role | None, most: Role) -> Role | None:
    return min((role, most), key=_rank)
