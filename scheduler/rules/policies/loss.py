"""What follows when a job's process dies, and when a worker's machine does. Pure.

A process that dies under its job (`os._exit`, a segmentation fault, the kernel's memory killer) is
probably ended by the job: `retries` decides, the schedule's first and then the task's. Where
neither says anything, the job gets one more try, in case that its process died for another reason.

A machine that dies takes jobs with it that did nothing wrong: `on_lost` decides.
"""

from dataclasses import dataclass
from typing import Literal

OnLost = Literal["again", "fail"]
"""`again`: another worker runs the job once more. `fail`: the run has failed."""

Rule = Literal["schedule", "task", "first loss", "none"]

FIRST_WAIT = 10.0
"""Seconds before the further attempt that nobody has declared."""


@dataclass(frozen=True)
class ProcessLoss:
    """A job's process that died.

    `schedule_retries` are the attempts that the schedule still allows, None for a run without a
    schedule. `task_retries` are those that the task declares beyond its first attempt, None where
    it declares nothing; `is_unlimited` where it declares that there is no end to them. `retries`
    counts the attempts before this one, `losses` those of them that lost their process.
    """

    schedule_retries: int | None
    task_retries: int | None
    is_unlimited: bool
    retries: int
    losses: int
    on_lost: OnLost = "again"


@dataclass(frozen=True)
class LossVerdict:
    """The rule that allows a further attempt, or `none`, with the reason for the run's history."""

    rule: Rule
    reason: str


def after_process_loss(loss: ProcessLoss, most_losses: int) -> LossVerdict:
    """Return whether an attempt follows on a process that died, and by which rule.

    `most_losses` is the limit for a task without an end of attempts: a job that kills its process
    each time must not go round for ever.
    """
    times = "once" if loss.losses == 0 else f"{loss.losses + 1} times"
    rule, reason = _rule(loss, most_losses)
    return LossVerdict(rule, f"lost {times}; {reason}")


def stricter(*choices: OnLost | None) -> OnLost:
    """Return `fail` if one of the choices is, of a schedule and of a job; else `again`."""
    return "fail" if "fail" in choices else "again"


def _rule(loss: ProcessLoss, most_losses: int) -> tuple[Rule, str]:
    if loss.schedule_retries:
        return "schedule", "its schedule allows a further attempt"
    if loss.is_unlimited or loss.task_retries:
        has_more = (
            loss.losses < most_losses
            if loss.is_unlimited
            else loss.retries < (loss.task_retries or 0)
        )
        if has_more:
            return "task", "the job allows a further attempt"
        return "none", "the job allows no further attempt (retries)"
    if loss.schedule_retries == 0:
        return "none", "its schedule allows no further attempt (retries)"
    return _undeclared(loss)


def _undeclared(loss: ProcessLoss) -> tuple[Rule, str]:
    """The rule for a run without a schedule, whose job allows no attempts or says nothing."""
    if loss.task_retries == 0:
        return "none", "the job allows no further attempt (retries)"
    if loss.on_lost == "fail":
        return "none", "the job is not run again (on_lost)"
    if loss.losses == 0:
        return "first loss", "a further attempt follows"
    return "none", "the job declares no retries"
