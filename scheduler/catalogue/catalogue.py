"""The catalogue: jobs with parameters and queues, and the workers that offer the jobs.

Workers publish their jobs in Redis; console and commands read the catalogue, and never import the
code of jobs. The functions above `Catalogue` are pure. A job without a live worker stays in the
catalogue: the job's schedules must stay editable while the workers are down.
"""

import difflib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar, cast

from pydantic import AwareDatetime, BaseModel, ConfigDict, JsonValue, ValidationError
from redis import Redis

from scheduler.catalogue.json_schema import faults
from scheduler.errors import BadArguments, Refused, UnknownJob
from scheduler.events.secret_names import REFERENCE
from scheduler.storage import keys
from scheduler.storage.availability import answering
from scheduler.storage.lua import script_text

ALIVE_FOR = timedelta(seconds=30)
"""The age of a worker's last heartbeat beyond which the worker counts as gone."""

FORGOTTEN_AFTER = timedelta(days=1)
"""The age of a worker's last heartbeat beyond which the worker is no longer listed."""

REFILL_SECONDS = 3600
"""Seconds during which status and doctor report a lost and republished catalogue."""

ParameterKind = Literal[
    "positional_only", "positional_or_keyword", "var_positional", "keyword_only", "var_keyword"
]


class Stored(BaseModel):
    """A record in Redis. Unknown fields are ignored: a worker may be newer than the console."""

    model_config = ConfigDict(frozen=True, extra="ignore")


Shape = TypeVar("Shape", bound=Stored)


class Parameter(Stored):
    """A parameter of a job. `default` is JSON, or the repr of a value without a JSON type.

    `json_schema` describes the allowed values, for a job with a model of its parameters.
    """

    name: str
    kind: ParameterKind = "positional_or_keyword"
    required: bool = True
    default: JsonValue = None
    annotation: str = ""
    doc: str = ""
    json_schema: dict[str, JsonValue] | None = None


class Job(Stored):
    """A Celery task for schedules; `workers` are the live workers with the job.

    `soft_time_limit` and `time_limit` are in seconds; `retries` is the number of further attempts
    declared by the job.
    """

    name: str
    title: str = ""
    doc: str = ""
    parameters: list[Parameter] = []
    queue: str | None = None
    module: str = ""
    soft_time_limit: float | None = None
    time_limit: float | None = None
    retries: int | None = None
    json_schema: dict[str, JsonValue] | None = None
    workers: list[str] = []

    @property
    def is_gone(self) -> bool:
        """Whether no live worker offers the job."""
        return not self.workers


class Worker(Stored):
    """The last heartbeat of a worker. `pool` is the name of its pool; `stops_jobs` says whether the
    pool can stop a running job.
    """

    name: str
    pid: int
    host: str
    at: AwareDatetime
    queues: list[str] = []
    concurrency: int = 1
    jobs: list[str] = []
    active: int = 0
    pool: str = "prefork"
    stops_jobs: bool = True

    def is_alive(self, now: datetime) -> bool:
        """Return whether the heartbeat is recent enough at `now`."""
        return now - self.at <= ALIVE_FOR


def check_arguments(job: Job, args: Sequence[object], kwargs: Mapping[str, object]) -> None:
    """Check a call against the job's signature and schema.

    Raises BadArguments with the parameter and the remedy.
    """
    by_place = [p for p in job.parameters if p.kind in ("positional_only", "positional_or_keyword")]
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
    if job.json_schema is not None and (found := faults(job.json_schema, dict(kwargs))):
        raise BadArguments(f"{job.name}: {'; '.join(found)}"[:1000])


def call_of(job: Job) -> str:
    """Return the job's call for people: `reports.job_summary(days: int = 1)`."""
    return f"{job.name}({', '.join(_shown(parameter) for parameter in job.parameters)})"


def unknown_job(name: str, offered: Sequence[str]) -> UnknownJob:
    """Return the error for a job outside the catalogue, with the closest names in `offered`."""
    near = difflib.get_close_matches(name, offered, n=3)
    hint = f" (did you mean {' or '.join(near)}?)" if near else ""
    return UnknownJob(
        f"no worker offers the job {name!r}{hint}; start a worker with the module that defines it "
        "(BEATDESK_JOBS), or pick one from `beatdesk jobs list`"
    )


_CONSEQUENCE = "the jobs that workers offer cannot be read; see `beatdesk doctor`"


class Catalogue:
    """The jobs and workers as last published in Redis. Methods raise Unavailable without Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._beat = redis.register_script(script_text(__package__, "heartbeat.lua"))

    def publish(self, jobs: Sequence[Job], worker: Worker, now: datetime) -> None:
        """Store the jobs of a starting worker, and drop long-gone workers.

        Long gone are workers without a heartbeat in the last `FORGOTTEN_AFTER` before `now`.
        """
        with answering(_CONSEQUENCE):
            long_gone = [
                listed.name for listed in self.workers() if listed.at < now - FORGOTTEN_AFTER
            ]
            with self._redis.pipeline(transaction=True) as pipe:
                for job in jobs:
                    pipe.hset(
                        keys.CATALOGUE_HASH, job.name, job.model_dump_json(exclude={"workers"})
                    )
                for name in long_gone:
                    pipe.hdel(keys.WORKERS_HASH, name)
                pipe.hset(keys.WORKERS_HASH, worker.name, worker.model_dump_json())
                pipe.execute()

    def heartbeat(self, worker: Worker) -> bool:
        """Store the heartbeat of a live worker. Returns whether the worker's jobs are in the
        catalogue; False after a loss of Redis's data, and the worker then publishes the jobs again.
        """
        with answering(_CONSEQUENCE):
            missing: Any = self._beat(
                keys=[keys.WORKERS_HASH, keys.CATALOGUE_HASH],
                args=[worker.name, worker.model_dump_json(), *worker.jobs],
            )
        return not missing

    def note_refill(self, worker: Worker, now: datetime) -> None:
        """Record for an hour that a worker had to publish its jobs again."""
        note = json.dumps({"worker": worker.name, "at": now.isoformat()})
        with answering(_CONSEQUENCE):
            self._redis.set(keys.CATALOGUE_REFILLED, note, ex=REFILL_SECONDS)

    def refilled_at(self) -> datetime | None:
        """The last time within an hour at which a worker had to publish its jobs again; None
        without one.
        """
        with answering(_CONSEQUENCE):
            note = cast("str | None", self._redis.get(keys.CATALOGUE_REFILLED))
        return None if note is None else datetime.fromisoformat(json.loads(note)["at"])

    def leave(self, worker: str) -> None:
        """Remove a worker that has shut down in order."""
        with answering(_CONSEQUENCE):
            self._redis.hdel(keys.WORKERS_HASH, worker)

    def workers(self, now: datetime | None = None) -> list[Worker]:
        """Return the workers alive at `now`, by name; without `now` all listed workers."""
        with answering(_CONSEQUENCE):
            raw = cast("dict[str, str]", self._redis.hgetall(keys.WORKERS_HASH))
        listed = [
            worker
            for worker in (_read(Worker, text) for text in raw.values())
            if worker is not None
        ]
        return sorted(
            (worker for worker in listed if now is None or worker.is_alive(now)),
            key=lambda worker: worker.name,
        )

    def can_stop_jobs(self, worker: str) -> bool:
        """Return whether a worker's pool can stop a running job; True for an unknown worker."""
        return all(listed.stops_jobs for listed in self.workers() if listed.name == worker)

    def jobs(self, now: datetime) -> list[Job]:
        """Return all jobs, by name; a job without a live worker has empty `workers`."""
        with answering(_CONSEQUENCE):
            raw = cast("dict[str, str]", self._redis.hgetall(keys.CATALOGUE_HASH))
        offers = _offers(self.workers(now))
        listed = [job for job in (_read(Job, text) for text in raw.values()) if job is not None]
        return sorted(
            (job.model_copy(update={"workers": offers.get(job.name, [])}) for job in listed),
            key=lambda job: job.name,
        )

    def get(self, name: str, now: datetime | None = None) -> Job | None:
        """Return the job of this name, or None.

        The job's workers are as in `workers(now)`.
        """
        with answering(_CONSEQUENCE):
            raw = cast("str | None", self._redis.hget(keys.CATALOGUE_HASH, name))
        job = None if raw is None else _read(Job, raw)
        if job is None:
            return None
        return job.model_copy(update={"workers": _offers(self.workers(now)).get(name, [])})

    def queue_of(self, name: str) -> str | None:
        """Return the queue declared by the job, or None."""
        with answering(_CONSEQUENCE):
            raw = cast("str | None", self._redis.hget(keys.CATALOGUE_HASH, name))
        job = None if raw is None else _read(Job, raw)
        return None if job is None else job.queue

    def check_call(self, job: str, args: Sequence[object], kwargs: Mapping[str, object]) -> None:
        """Check a call against the catalogue. Raises UnknownJob or BadArguments."""
        with answering(_CONSEQUENCE):
            raw = cast("str | None", self._redis.hget(keys.CATALOGUE_HASH, job))
        job_entry = None if raw is None else _read(Job, raw)
        if job_entry is None:
            with answering(_CONSEQUENCE):
                names = cast("list[str]", self._redis.hkeys(keys.CATALOGUE_HASH))
            raise unknown_job(job, names)
        check_arguments(job_entry, args, kwargs)

    def forget(self, name: str, now: datetime) -> None:
        """Remove a job without workers. Raises UnknownJob, or Refused for a job with a worker."""
        job = self.get(name, now)
        if job is None:
            raise unknown_job(name, [other.name for other in self.jobs(now)])
        if job.workers:
            raise Refused(
                f"{name} is offered by {', '.join(job.workers)}; stop offering it there first",
                field="job",
            )
        with answering(_CONSEQUENCE):
            self._redis.hdel(keys.CATALOGUE_HASH, name)


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


def _offers(workers: Sequence[Worker]) -> dict[str, list[str]]:
    offers: dict[str, list[str]] = {}
    for worker in workers:
        for job in worker.jobs:
            offers.setdefault(job, []).append(worker.name)
    return offers


def _read(shape: type[Shape], text: str) -> Shape | None:
    """Return the record in `text`; None for a text not written by Beatdesk."""
    try:
        return shape.model_validate_json(text)
    except ValidationError:
        return None
