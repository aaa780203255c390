"""Jobs that start other jobs, as an example: a chain, a group, and a chord, with a branch for
errors.

    demo.workflow ─▶ demo.prepare ─▶ demo.part × n ─▶ demo.sum_up
                          └───────────── on an error ─▶ demo.clean_up

Each job is a run of its own in the history, with its starting run as the parent.
"""

import warnings

from celery import chain, group, shared_task
from celery.exceptions import CPendingDeprecationWarning

from scheduler.job import job

MOST_PARTS = 100

# Celery warns at each chord with a branch for errors that a setting may change; readers of the
# run's log cannot act on this.
warnings.filterwarnings("ignore", "task_allow_error_cb_on_chord_header", CPendingDeprecationWarning)


@job("demo.workflow", title="A workflow", retries=0)
def workflow(parts: int = 3, fail_at: int = 0) -> dict[str, str]:
    """Start a workflow: prepare, do `parts` parts (1 to 100) side by side, and sum up at the end.

    The part of the number `fail_at` fails, to show the branch for errors; with 0 every part
    succeeds. The result has the id of the workflow's last run.
    """
    if isinstance(parts, bool) or not isinstance(parts, int) or not 1 <= parts <= MOST_PARTS:
        raise ValueError(f"parts is a whole number from 1 to {MOST_PARTS}, not {parts!r}")
    steps = chain(
        prepare.si(parts),
        group(part.s(number, fails=number == fail_at) for number in range(1, parts + 1)),
        sum_up.s(),
    )
    return {"ends_with": str(steps.apply_async(link_error=clean_up.s()).id)}


@shared_task(name="demo.prepare")
def prepare(parts: int) -> int:
    """Prepare a workflow: the result is given to each part."""
    return 100 * parts


@shared_task(name="demo.part")
def part(prepared: int, number: int, fails: bool = False) -> int:
    """Do one part of a workflow."""
    if fails:
        raise RuntimeError(f"part {number} was told to fail")
    return prepared + number


@shared_task(name="demo.sum_up")
def sum_up(results: list[int]) -> int:
    """End a workflow with the results of all its parts."""
    return sum(results)


@shared_task(name="demo.clean_up")
def clean_up(failed: str) -> dict[str, str]:
    """Clean up after a workflow with a failed run, by the id of the failed run."""
    return {"cleaned_up_after": failed}
