"""The catalogue: jobs with parameters and queues, and the workers that offer the jobs.

Workers publish their jobs in Redis; console and commands read the catalogue, and never import the
code of jobs. A job without a live worker stays in the catalogue: the job's schedules must stay
editable while the workers are down.
"""

import difflib
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from pydantic import ValidationError
from redis import Redis

from scheduler.catalogue.call_check import check_arguments, check_saved_call
from scheduler.catalogue.records import Job, Stored, Worker, refuse_role
from scheduler.errors import Refused, UnknownJob
from scheduler.storage import keys, records
from scheduler.storage.availability import answering
from scheduler.storage.lua import script_text

FORGOTTEN_AFTER = timedelta(days=1)
"""The age of a worker's last heartbeat beyond which the worker is no longer listed."""

REFILL_SECONDS = 3600
"""Seconds during which status and doctor report a lost and republished catalogue."""

Shape = TypeVar("Shape", bound=Stored)


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
        return None if note is None else refill_of(note)

    def leave(self, worker: str) -> None:
        """Remove a worker that has shut down in order."""
        with answering(_CONSEQUENCE):
            self._redis.hdel(keys.WORKERS_HASH, worker)

    def workers(self, now: datetime | None = None) -> list[Worker]:
        """Return the workers alive at `now`, by name; without `now` all listed workers."""
        with answering(_CONSEQUENCE):
            raw = cast("dict[str, str]", self._redis.hgetall(keys.WORKERS_HASH))
        listed = [worker for worker in map(worker_of, raw.values()) if worker is not None]
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
        listed = [job for job in map(job_of, raw.values()) if job is not None]
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
        job = None if raw is None else job_of(raw)
        if job is None:
            return None
        return job.model_copy(update={"workers": _offers(self.workers(now)).get(name, [])})

    def queue_of(self, name: str) -> str | None:
        """Return the queue declared by the job, or None."""
        with answering(_CONSEQUENCE):
            raw = cast("str | None", self._redis.hget(keys.CATALOGUE_HASH, name))
        job = None if raw is None else job_of(raw)
        return None if job is None else job.queue

    def check_call(self, job: str, args: Sequence[object], kwargs: Mapping[str, object]) -> None:
        """Check a call against the catalogue. Raises UnknownJob or BadArguments."""
        check_arguments(self._offered(job), args, kwargs)

    def check_saved_call(
        self, job: str, args: Sequence[object], kwargs: Mapping[str, object]
    ) -> None:
        """Check a call that is to be stored. Raises UnknownJob or BadArguments."""
        check_saved_call(self._offered(job), args, kwargs)

    def check_role(self, job: str, role: str | None) -> None:
        """Raise Refused where the role may not save or run the job; None may all."""
        for name, least in self.least_roles({job}).items():
            refuse_role(name, least, role)

    def least_roles(self, jobs: Collection[str]) -> dict[str, str]:
        """Return the least role of each of these jobs; jobs missing in the catalogue are left out.

        Workers judge the missing ones: see `runs.approvals`.
        """
        if not jobs:
            return {}
        with answering(_CONSEQUENCE):
            found = cast("list[str | None]", self._redis.hmget(keys.CATALOGUE_HASH, list(jobs)))
        read = [None if text is None else job_of(text) for text in found]
        return {
            name: job.least_role for name, job in zip(jobs, read, strict=True) if job is not None
        }

    def _offered(self, job: str) -> Job:
        """Return the job of this name. Raises UnknownJob."""
        with answering(_CONSEQUENCE):
            raw = cast("str | None", self._redis.hget(keys.CATALOGUE_HASH, job))
        job_entry = None if raw is None else job_of(raw)
        if job_entry is None:
            with answering(_CONSEQUENCE):
                names = cast("list[str]", self._redis.hkeys(keys.CATALOGUE_HASH))
            raise unknown_job(job, names)
        return job_entry

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


def _offers(workers: Sequence[Worker]) -> dict[str, list[str]]:
    offers: dict[str, list[str]] = {}
    for worker in workers:
        for job in worker.jobs:
            offers.setdefault(job, []).append(worker.name)
    return offers


def job_of(text: str) -> Job | None:
    """Return the job in a record; None for a text not written by Beatdesk."""
    return _read(Job, text)


def worker_of(text: str) -> Worker | None:
    """Return the worker's heartbeat in a record; None for a text not written by Beatdesk."""
    return _read(Worker, text)


def refill_of(text: str) -> datetime | None:
    """Return the moment in the record of a refill; None for a text not written by Beatdesk."""
    return records.moment_in((records.object_in(text) or {}).get("at"))


def _read(shape: type[Shape], text: str) -> Shape | None:
    try:
        return shape.model_validate_json(text)
    except ValidationError:
        return None
