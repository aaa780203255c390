"""Jobs and workers as stored in Redis. Pure."""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, JsonValue

from scheduler.errors import Refused

ADMIN = "admin"

ALIVE_FOR = timedelta(seconds=30)
"""The age of a worker's last heartbeat beyond which the worker counts as gone."""

ParameterKind = Literal[
    "positional_only", "positional_or_keyword", "var_positional", "keyword_only", "var_keyword"
]


class Stored(BaseModel):
    """A record in Redis. Unknown fields are ignored: a worker may be newer than the console."""

    model_config = ConfigDict(frozen=True, extra="ignore")


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
    secret_uses: list[list[str | None]] = []
    """The permitted uses of secrets, as the workers' settings have them."""

    least_role: str = "operator"
    """The role that saves schedules of the job, and runs it: `operator` or `admin`."""

    is_guarded: bool = False
    """Whether the job is one of Beatdesk's own, which need permission for each secret."""

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


def refuse_role(job: str, least: str, role: str | None) -> None:
    """Raise Refused where a role may not save or run a job of the least role `least`.

    `role` None stands for whoever has a shell on the machine, who may all.
    """
    if least == ADMIN and role not in (None, ADMIN):
        raise Refused(
            f"the job {job} needs the role admin, and yours is {role}; ask an administrator to "
            "save or run it",
            field="job",
        )
