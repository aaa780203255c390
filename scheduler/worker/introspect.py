"""Description of a job, read from the job's function: signature, docstring, annotations.

Runs in workers, where the job's code is.
"""

import inspect
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from celery import Celery
from pydantic import BaseModel, JsonValue, PydanticUserError

from scheduler.catalogue.json_schema import inlined, words_of
from scheduler.catalogue.records import Job, Parameter, ParameterKind
from scheduler.catalogue.secret_rights import Use
from scheduler.celery_app import internals
from scheduler.runs.headers import is_job
from scheduler.worker.docstrings import parameter_docs

log = logging.getLogger(__name__)

_KINDS: dict[Any, ParameterKind] = {
    inspect.Parameter.POSITIONAL_ONLY: "positional_only",
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "positional_or_keyword",
    inspect.Parameter.VAR_POSITIONAL: "var_positional",
    inspect.Parameter.KEYWORD_ONLY: "keyword_only",
    inspect.Parameter.VAR_KEYWORD: "var_keyword",
}

TITLE_LIMIT = 120


OWN_PACKAGE = "scheduler."


def is_own(task: Any) -> bool:
    """Whether a task is one of Beatdesk's own jobs."""
    return str(task.__module__).startswith(OWN_PACKAGE)


def jobs_of(app: Celery) -> list[Job]:
    """Descriptions of the app's registered jobs, ordered by name."""
    uses = [list(use) for use in uses_of(app)]
    return [
        describe(name, task).model_copy(update={"secret_uses": uses})
        for name, task in sorted(app.tasks.items())
        if is_job(name)
    ]


def uses_of(app: Celery) -> Sequence[Use]:
    """The permitted uses of secrets in the app's settings; none for an app without settings."""
    settings = getattr(app, "settings", None)
    return () if settings is None else settings.permitted_secret_uses


def describe(name: str, task: Any) -> Job:
    """Return the description of a job.

    Options of the decorator (`title=…`, `queue=…`) win over docstring and signature.
    """
    function = _function(task)
    first, rest = _docstring(function)
    title = getattr(task, "title", None)
    model = _model(task)
    return Job(
        name=name,
        title=str(title or first or name)[:TITLE_LIMIT],
        doc=(inspect.getdoc(function) or "").strip() if title else rest,
        parameters=list(_parameters(function) if model is None else _fields(model)),
        queue=getattr(task, "goes_to", None) or getattr(task, "queue", None),
        module=function.__module__ or "",
        soft_time_limit=getattr(task, "soft_time_limit", None),
        time_limit=getattr(task, "time_limit", None),
        retries=task.max_retries if getattr(task, "autoretry_for", ()) else None,
        json_schema=model,
        is_guarded=is_own(task),
        least_role=getattr(task, "least_role", "operator"),
    )


def _model(task: Any) -> dict[str, JsonValue] | None:
    """Return the JSON schema of a job's model; None without a model, or without a JSON schema."""
    model = getattr(task, "params", None)
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return None
    try:
        schema: dict[str, JsonValue] = json.loads(
            json.dumps(model.model_json_schema(), allow_nan=False)
        )
    except (PydanticUserError, TypeError, ValueError) as error:
        log.warning(
            "the parameters of %s cannot be said in JSON, only the worker checks them: %s",
            task.name,
            error,
        )
        return None
    return schema


def _fields(schema: Mapping[str, Any]) -> Iterable[Parameter]:
    """The fields of a model as parameters by name."""
    required = schema.get("required", [])
    for name, about in schema.get("properties", {}).items():
        yield Parameter(
            name=name,
            kind="keyword_only",
            required=name in required,
            default=about.get("default"),
            annotation=words_of(about, schema),
            doc=str(about.get("description", "")),
            json_schema=inlined(about, schema),
        )


def _function(task: Any) -> Callable[..., Any]:
    """Return the function as written: Celery wraps functions for `bind` and for `autoretry_for`."""
    function: Callable[..., Any] = inspect.unwrap(internals.declared_run(task))
    return function


def _docstring(function: Callable[..., Any]) -> tuple[str, str]:
    """Return the docstring's first line without the full stop, and the rest."""
    first, _, rest = (inspect.getdoc(function) or "").partition("\n")
    return first.strip().removesuffix("."), rest.strip()


def _parameters(function: Callable[..., Any]) -> Iterable[Parameter]:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # a callable without a signature, as some of C are
        yield Parameter(name="args", kind="var_positional", required=False)
        yield Parameter(name="kwargs", kind="var_keyword", required=False)
        return
    help_texts = parameter_docs(inspect.getdoc(function) or "")
    for parameter in signature.parameters.values():
        variable = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        has_default = parameter.default is not parameter.empty
        yield Parameter(
            name=parameter.name,
            kind=_KINDS[parameter.kind],
            required=not variable and not has_default,
            default=_json(parameter.default) if has_default else None,
            annotation=_annotation(parameter.annotation),
            doc=help_texts.get(parameter.name, ""),
        )


def _annotation(annotation: Any) -> str:
    if annotation is inspect.Parameter.empty:
        return ""
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


def _json(value: Any) -> JsonValue:
    """Return a default as JSON; the default's text for a value beyond JSON."""
    try:
        result: JsonValue = json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError):
        return repr(value)
    return result
