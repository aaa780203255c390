"""Tables of the documents that repeat the code, made from it.

`python -m tests.docs.write` (`make docs`) writes them between their markers; a test fails where one
is stale.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any, Literal, get_args, get_origin

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from scheduler.cli import cli
from scheduler.cli.lazy_command import loaded
from scheduler.events import schema
from scheduler.events.schema import Event, RunFacts
from scheduler.settings.errors import PREFIX
from scheduler.settings.schema import Settings
from tests.docs import schedule_fields, structure
from tests.docs.markdown import table
from webadmin.audit.table import RECORDS, RECORDS_NOTHING
from webadmin.guard import LEAST_ROLE, RANKS

COMMON_FIELDS = {"v", "at", "kind"}


def commands() -> str:
    """Every command with its arguments, and the first sentence of its help."""
    rows = ([f"`beatdesk {usage}`", summary] for usage, summary in _commands(cli, ()))
    return table(["command", "what it does"], rows)


def _commands(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(command, click.Group):
        context = click.Context(command, resilient_parsing=True)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from _commands(loaded(found), (*path, name))
        return
    arguments = [
        one.make_metavar(click.Context(command))
        for one in command.params
        if isinstance(one, click.Argument)
    ]
    summary = inspect.cleandoc(command.help or "").partition("\n\n")[0].replace("\n", " ")
    yield " ".join([*path, *arguments]), summary


def settings() -> str:
    """Every setting with its default and its meaning."""
    rows = (
        [f"`{PREFIX}{name.upper()}`", _default(field), str(field.description)]
        for name, field in Settings.model_fields.items()
    )
    return table(["setting", "default", "meaning"], rows)


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is None or value == ():
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def events() -> str:
    """Every kind of event with what happened and the fields of its own."""
    kinds = get_args(get_args(schema.AnyEvent)[0])
    rows = (
        [f"`{kind.model_fields['kind'].default}`", _summary(kind), _fields(kind, COMMON_FIELDS)]
        for kind in kinds
    )
    return table(["kind", "what happened", "fields"], rows)


def facts() -> str:
    """The fields of a run's facts."""
    rows = ([f"`{name}`", _type(field)] for name, field in RunFacts.model_fields.items())
    return table(["field", "type"], rows)


def _summary(kind: type[Event]) -> str:
    return inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[0].replace("\n", " ")


def _fields(model: type[BaseModel], without: set[str]) -> str:
    fields = ((name, field) for name, field in model.model_fields.items() if name not in without)
    return ", ".join(
        f"`{name}{'' if field.is_required() else '?'}`{_values(field)}" for name, field in fields
    )


def _values(field: FieldInfo) -> str:
    """The values of a field that has only some, in brackets."""
    values = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    return f" ({', '.join(map(str, values))})" if values else ""


def _type(field: FieldInfo) -> str:
    annotation: Any = field.annotation
    names = [part for part in get_args(annotation) if part is not type(None)] or [annotation]
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(annotation))
    text = " or ".join(_type_name(name) for name in names)
    return text if field.is_required() else f"{text}, optional"


def _type_name(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(annotation))
    text = getattr(annotation, "__name__", str(annotation))
    return {"str": "text", "int": "number", "AwareDatetime": "time", "datetime": "time"}.get(
        text, "JSON"
    )


def recorded() -> str:
    """What each endpoint that changes something records."""
    rows = [
        [f"`{name}`", ", ".join(f"`{kind}`" for kind in kinds)] for name, kinds in RECORDS.items()
    ]
    rows += [[f"`{name}`", f"nothing: it {why}"] for name, why in RECORDS_NOTHING.items()]
    return table(["endpoint", "records"], sorted(rows))


def roles() -> str:
    """For each role, what it may do beyond the role before it: the endpoints of the console by
    screen.
    """
    rows = (
        [_role(role), screen, ", ".join(names)]
        for role in RANKS
        for screen, names in _endpoints(role).items()
    )
    return table(["least role", "screen", "what"], rows)


def _role(role: str) -> str:
    return role if role == "anyone" else f"`{role}`"


def _endpoints(role: str) -> dict[str, list[str]]:
    screens: dict[str, list[str]] = {}
    for endpoint, least in LEAST_ROLE.items():
        screen, _, name = endpoint.partition(".")
        if least == role:
            screens.setdefault(screen, []).append(re.sub("_", " ", name or "files"))
    return screens


TABLES: dict[str, Callable[[], str]] = {
    "commands": commands,
    "settings": settings,
    "events": events,
    "recorded": recorded,
    "facts": facts,
    "roles": roles,
    "folders": structure.folders,
    "fences": structure.fences,
    "states": structure.states,
    "redis-keys": structure.redis_keys,
    "sql-tables": structure.sql_tables,
    **schedule_fields.tables(),
}


def env_example() -> str:
    """`config/env.example`: every setting with its meaning, commented out at its default."""
    head = (
        "# Settings of Beatdesk, for `.env` in the working folder or an environment file of a\n"
        "# service manager. Each is at its default; take the # away to change one. Written by\n"
        "# `make docs` from the settings themselves.\n"
    )
    rows = []
    for name, field in Settings.model_fields.items():
        default = _default(field).strip("`")
        value = "" if default == "none" else default
        rows.append(f"\n# {field.description}\n# {PREFIX}{name.upper()}={value}\n")
    return head + "".join(rows)
