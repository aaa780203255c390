"""`@job`: a Celery task with title, model of parameters and further attempts.

`worker.introspect` publishes all of them.
"""

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Literal, TypeVar, get_args

from celery import Task, shared_task
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from scheduler.errors import BadArguments
from scheduler.rules.policies.loss import OnLost
from scheduler.runs.limits import HARD_AFTER_SECONDS

Returned = TypeVar("Returned")

LeastRole = Literal["operator", "admin"]

FIRST_WAIT_SECONDS = 5.0
LONGEST_WAIT_SECONDS = 600.0


def job(
    name: str | None = None,
    *,
    title: str = "",
    params: type[BaseModel] | None = None,
    queue: str | None = None,
    priority: int | None = None,
    retry_for: Sequence[type[Exception]] = (),
    retries: int | None = None,
    on_lost: OnLost = "again",
    retry_backoff: float = FIRST_WAIT_SECONDS,
    retry_backoff_max: float = LONGEST_WAIT_SECONDS,
    soft_time_limit: float | None = None,
    time_limit: float | None = None,
    flask: bool | None = None,
    least_role: LeastRole = "operator",
    **options: Any,
) -> Callable[[Callable[..., Returned]], Task[..., Returned]]:
    """Declare the decorated function as a job. Returns the decorator, which returns a Celery task.

    `name` is Celery's task name (default: module and function), `title` the name for people
    (default: the docstring's first line). `params` is a pydantic model: the function takes one
    instance, callers give the fields by name, and the values are checked when a schedule is saved
    and again in the worker. `queue` is `critical`, `default`, `bulk`, or a queue of your own;
    `priority` a number from 0 (taken first) to 9.

    An exception in `retry_for` is followed by up to `retries` further attempts (default: 3), the
    first after about `retry_backoff` seconds, each after twice the wait before, at most
    `retry_backoff_max`. A job whose process dies has as many, where `retries` is given; else one.
    `on_lost="fail"`, for a job that must not run twice: a run of a machine that died has failed.

    `soft_time_limit` (seconds) raises SoftTimeLimitExceeded in the job; `time_limit` (seconds) ends
    the job's process (default: ten seconds later). With `least_role="admin"` only administrators
    save schedules of the job, and run it, in the console.

    `flask=True` runs the job in the context of the application that `BEATDESK_FLASK_APP` names,
    which is the default for jobs in your own modules. `options` are Celery's own for a task.
    """
    own = _celery_options(name, retries, soft_time_limit, time_limit)
    own |= {"title": title, "params": params, "flask": flask, "on_lost": _checked(on_lost)}
    own |= {"goes_to": queue, "goes_with_priority": priority, **_role_option(least_role)}
    own |= _retries(retry_for, retry_backoff, retry_backoff_max)

    def declare(function: Callable[..., Returned]) -> Task[..., Returned]:
        call = function if params is None else _taking(params, function)
        typed = {} if params is None else {"typing": False}
        declared: Task[..., Returned] = shared_task(**{**own, **typed, **options})(call)
        return declared

    return declare


def _checked(on_lost: OnLost) -> OnLost:
    """Return the option; raises ValueError for an unknown option."""
    if on_lost not in get_args(OnLost):
        raise ValueError(f"job: on_lost is 'again' or 'fail', not {on_lost!r}")
    return on_lost


def _role_option(role: LeastRole) -> dict[str, LeastRole]:
    """Return the role as an option; raises ValueError for another one."""
    if role not in get_args(LeastRole):
        raise ValueError(f"job: least_role is 'operator' or 'admin', not {role!r}")
    return {"least_role": role}


def _celery_options(
    name: str | None, retries: int | None, soft_limit: float | None, hard_limit: float | None
) -> dict[str, Any]:
    """Return Celery's options for a job's name and limits, without options that are left open."""
    if soft_limit is not None and hard_limit is None:
        hard_limit = soft_limit + HARD_AFTER_SECONDS
    options = {
        "name": name,
        "max_retries": retries,
        "soft_time_limit": soft_limit,
        "time_limit": hard_limit,
    }
    return {option: value for option, value in options.items() if value is not None}


def _retries(
    retry_for: Sequence[type[Exception]], backoff: float, longest: float
) -> dict[str, Any]:
    """Return Celery's options for further attempts after the exceptions `retry_for`."""
    if not retry_for:
        return {}
    return {
        "autoretry_for": tuple(retry_for),
        "dont_autoretry_for": (BadArguments,),  # the same arguments fail in every attempt
        "retry_backoff": backoff,
        "retry_backoff_max": longest,
    }


def _taking(model: type[BaseModel], function: Callable[..., Returned]) -> Callable[..., Returned]:
    """Return the job's function, to be called with the model's fields by name.

    The call raises BadArguments, with each field that does not fit, before the function runs.
    """

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Returned:
        bound = args[:1] if args and isinstance(args[0], Task) else ()
        if len(args) > len(bound):
            raise BadArguments(
                f"{function.__name__} takes its parameters by name, not by place: "
                f"{args[len(bound) :]!r}"
            )
        try:
            checked = model.model_validate(kwargs)
        except ValidationError as error:
            raise BadArguments(_faults_text(error)) from None
        return function(*bound, checked)

    call.__signature__ = _signature(model)  # type: ignore[attr-defined] # what Celery and the catalogue read
    return call


def _signature(model: type[BaseModel]) -> inspect.Signature:
    """The model's fields as parameters by name."""
    return inspect.Signature(
        [
            inspect.Parameter(
                field.alias or name,
                inspect.Parameter.KEYWORD_ONLY,
                default=_default(field),
                annotation=field.annotation,
            )
            for name, field in model.model_fields.items()
        ]
    )


def _default(field: FieldInfo) -> Any:
    return (
        inspect.Parameter.empty
        if field.is_required()
        else field.get_default(call_default_factory=True)
    )


def _faults_text(error: ValidationError) -> str:
    """Return every fault with the field, without the values, which may be secrets."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(
        f"{'.'.join(str(part) for part in fault['loc']) or 'kwargs'}: {fault['msg']}"
        for fault in faults
    )
