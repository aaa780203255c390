"""The whole interface for authors of jobs: `from scheduler.job import job, run`.

    @job("shop.restock", title="Restock", retry_for=(ConnectionError,), soft_time_limit=300)
    def restock(shelves: int = 10) -> dict[str, int]:
        for shelf in range(shelves):
            run.progress(shelf, shelves, f"shelf {shelf}")
        return {"shelves": shelves}

A plain `@shared_task` is a job as well, and may use `run` too; `@job` adds a title, retries and
limits. In a unit test, both are called as plain functions.
"""

from scheduler.worker.execution.current import CurrentRun, run
from scheduler.worker.job_decorator import job

__all__ = ["CurrentRun", "job", "run"]
