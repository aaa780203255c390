"""The check of a call against the description of its job. Pure.

`check_arguments` is for any call, `check_saved_call` for one that is to be stored.
"""

import difflib
from collections.abc import Mapping, Sequence

from scheduler.catalogue.json_schema import faults
from scheduler.catalogue.records import Job, Parameter
from scheduler.catalogue.secret_rights import refuse_forbidden
from scheduler.errors import BadArguments
from scheduler.events.bounds import DEEPEST
from scheduler.events.secret_names import MASK, REFERENCE, is_literal_secret

_BY_PLACE = ("positional_only", "positional_or_keyword")


def check_arguments(job: Job, args: Sequence[object], kwargs: Mapping[str, object]) -> None:
    """Check a call against the job's signature and schema.

    Raises BadArguments with the parameter and the remedy.
    """
    by_place = [p for p in job.parameters if p.kind in _BY_PLACE]
    by_name = {
        p.name: p for p in job.parameters if p.kind in ("positional_or_keyword", "keyword_only")
    }
    takes_any_place = any(p.kind == "var_positional" for p in job.parameters)
    takes_any_name = any(p.kind == "var_keyword" for p in job.parameters)
    if len(args) > len(by_place) and not takes_any_place:
        raise BadArguments(
            f"{job.name} takes at most {len(by_place)} positional argument(s), {len(args)} are "
            f"given; its call is {call_of(job)}",
            field="args",
        )
    filled = {p.name for p, _ in zip(by_place, args, strict=False)}
    for name, value in kwargs.items():
        if name in filled and name in by_name:
            raise BadArguments(
                f"the parameter {name!r} is given twice: in args and in kwargs; leave one out"
            )
        if name in by_name:
            if job.json_schema is None:
                _check_type(job, by_name[name], value, "kwargs")
        elif not takes_any_name:
            raise BadArguments(
                f"{job.name} has no parameter {name!r}{_suggestion(name, by_name)}; its call is "
                f"{call_of(job)}"
            )
    for parameter, value in zip(by_place, args, strict=False):
        _check_type(job, parameter, value, "args")
    _check_required(job, filled, kwargs)
    placed = zip([*filled_names(job, args)], args, strict=True)
    refuse_forbidden(
        job.name, [*placed, *kwargs.items()], job.secret_uses, is_guarded=job.is_guarded
    )
    if job.json_schema is not None and (found := faults(job.json_schema, dict(kwargs))):
        raise BadArguments(f"{job.name}: {'; '.join(found)}"[:1000])


def check_saved_call(job: Job, args: Sequence[object], kwargs: Mapping[str, object]) -> None:
    """Check a call that is to be stored: as `check_arguments`, and no secret may stand in it.

    Raises BadArguments with the place and the remedy, without the value.
    """
    check_arguments(job, args, kwargs)
    for name, value in zip(filled_names(job, args), args, strict=True):
        _refuse_literals(name, name, value, "args")
    for name, value in kwargs.items():
        _refuse_literals(name, name, value, "kwargs")


def positional_names(job: Job) -> list[str]:
    """Return the names of the parameters that take positional arguments, in order."""
    return [parameter.name for parameter in job.parameters if parameter.kind in _BY_PLACE]


def filled_names(job: Job, args: Sequence[object]) -> list[str]:
    """Return the name of the parameter of each positional argument; `args[0]` without a name."""
    names = positional_names(job)
    return [
        names[position] if position < len(names) else f"args[{position}]"
        for position in range(len(args))
    ]


def _refuse_literals(name: str, place: str, value: object, field: str, depth: int = 0) -> None:
    """Raise BadArguments for a secret's value under a secret's name, down to `DEEPEST` levels.

    Arguments with more levels are refused by `rules.check`.
    """
    if depth > DEEPEST:
        return
    if is_literal_secret(name, value):
        raise BadArguments(
            f"{place}: a secret must not stand in a schedule itself; give its value to the workers "
            "under a name, and write secret://name here (see `Give a job a secret` in the help)",
            field=field,
        )
    if isinstance(value, str) and MASK in value:
        raise BadArguments(
            f"{place}: {MASK} stands where a secret was hidden; give its value to the workers "
            "under a name, and write secret://name here",
            field=field,
        )
    if isinstance(value, Mapping):
        for inner, item in value.items():
            _refuse_literals(str(inner), f"{place}.{inner}", item, field, depth + 1)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            _refuse_literals("", f"{place}[{number}]", item, field, depth + 1)


def call_of(job: Job) -> str:
    """Return the job's call for people: `reports.job_summary(days: int = 1)`."""
    return f"{job.name}({', '.join(_shown(parameter) for parameter in job.parameters)})"


_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "bool": (bool,),
    "list": (list,),
    "tuple": (list,),
    "dict": (dict,),
    "None": (type(None),),
    "NoneType": (type(None),),
}


def _check_type(job: Job, parameter: Parameter, value: object, field: str) -> None:
    """Refuse a value that contradicts the annotation; only plain JSON types are checked."""
    if isinstance(value, str) and REFERENCE.search(value):
        return  # only the worker has the secret's value
    allowed: list[type] = []
    for word in _union(parameter.annotation):
        types = _JSON_TYPES.get(word.partition("[")[0].strip())
        if types is None:
            return
        allowed.extend(types)
    if (isinstance(value, bool) and bool not in allowed) or not isinstance(value, tuple(allowed)):
        raise BadArguments(
            f"{job.name}: {parameter.name} must be {parameter.annotation}, not {value!r}"[:500],
            field=field,
        )


def _union(annotation: str) -> list[str]:
    """Return the parts of a union such as `int | None`; a `|` in brackets does not count."""
    parts = [""]
    depth = 0
    for letter in annotation:
        depth += (letter == "[") - (letter == "]")
        if letter == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def _check_required(job: Job, filled: set[str], kwargs: Mapping[str, object]) -> None:
    named = {p.name for p in job.parameters if p.kind != "positional_only"} & set(kwargs)
    missing = [p.name for p in job.parameters if p.required and p.name not in filled | named]
    if missing:
        raise BadArguments(
            f"{job.name} needs a value for {', '.join(repr(name) for name in missing)}; its call "
            f"is {call_of(job)}"
        )


def _suggestion(name: str, parameters: Mapping[str, Parameter]) -> str:
    near = difflib.get_close_matches(name, list(parameters), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _shown(parameter: Parameter) -> str:
    stars = {"var_positional": "*", "var_keyword": "**"}.get(parameter.kind, "")
    text = stars + parameter.name + (f": {parameter.annotation}" if parameter.annotation else "")
    return text if stars or parameter.required else f"{text} = {parameter.default!r}"
