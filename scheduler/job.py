"""What a job's author needs, and all of it: `from scheduler.job import job, run`.

    @job("shop.restock", title="Restock", retry_for=(ConnectionError,), soft_time_limit=300)
    def restock(shelves: int = 10) -> dict[str, int]:
        for shelf in range(shelves):
            run.progress(shelf, shelves, f"shelf {shelf}")
        return {"shelves": shelves}

A plain `@shared_task` is a job just as well, and may use `run` too; `@job` is for saying more of
it. Both run as plain functions in a unit test.
"""

from scheduler.worker.current import CurrentRun, run
from scheduler.worker.job_decorator import job

__all__ = ["CurrentRun", "job", "run"]
