"""Jobs that end by `sys.exit`, as programs under cron do.

`sys.exit()`, code 0 and None are a success. Another code, or a text, is a failure with the code or
text. Without the check a worker's process would end with the job, which looks like a crash.
"""

from celery.exceptions import WorkerShutdown, WorkerTerminate

from scheduler.celery_app import internals
from scheduler.errors import JobExited


def check_exit(error: SystemExit | KeyboardInterrupt) -> None:
    """Return where the job has left with success; raise JobExited for a failure.

    Raises `error` itself where the worker is ending, and not the job.
    """
    if isinstance(error, WorkerShutdown | WorkerTerminate) or internals.is_process_ending():
        raise error
    if isinstance(error, KeyboardInterrupt):
        raise JobExited("the job was interrupted (KeyboardInterrupt)") from error
    code = error.code
    if code is None or code == 0:
        return
    text = f"exit code {int(code)}" if isinstance(code, int) else str(code)
    raise JobExited(text) from error
