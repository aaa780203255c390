"""The policies and the window of a schedule, as data. A part of the model in `spec`.

Each field is a row of the field table (`rules.model.fields`).
"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from scheduler.rules.model.about import SECONDS, About, Choice
from scheduler.rules.model.frozen import Frozen


class Policies(Frozen):
    """The handling of late, overlapping and failed runs. Times in seconds; None means no limit."""

    overlap: Annotated[
        Literal["skip", "allow", "queue_one", "queue_all", "cancel_previous"],
        About(
            label="Overlap",
            hint="When a tick is due and an earlier run is not over",
            option="A tick is due while an earlier run is not over.",
            choices=(
                Choice("skip", "Skip", "The tick is skipped, and the history says why."),
                Choice("allow", "Allow", "It starts regardless; several runs may go on at once."),
                Choice(
                    "queue_one",
                    "Queue one",
                    "One tick is kept and starts when the run ends; further ones are skipped.",
                ),
                Choice(
                    "queue_all",
                    "Queue all",
                    "Every tick is kept, in order, up to the limit; beyond it they are skipped.",
                ),
                Choice(
                    "cancel_previous",
                    "Cancel previous",
                    "The running one is asked to stop; the new one starts when it has.",
                ),
            ),
        ),
    ] = "skip"
    queue_limit: Annotated[
        int,
        Field(ge=1, le=10_000),
        About(
            label="Queue limit",
            hint="How many ticks “Queue all” keeps.",
            option="Ticks that queue_all keeps at most.",
        ),
    ] = 100
    catch_up: Annotated[
        Literal["latest", "none", "all"],
        About(
            label="Catch-up",
            hint="When ticks have passed and nobody could send them",
            option="Ticks that nobody sent.",
            choices=(
                Choice(
                    "latest",
                    "Latest",
                    "The newest tick that passed runs once, late; the others are missed.",
                ),
                Choice(
                    "none", "None", "What passed is missed; the next tick is the next one to come."
                ),
                Choice(
                    "all", "All", "Every tick that passed runs, oldest first, one after the other."
                ),
            ),
        ),
    ] = "latest"
    catch_up_window: Annotated[
        float,
        Field(ge=0),
        About(
            label="Catch-up window",
            hint="How far back catching up goes; what is older is missed.",
            option="How far back catching up goes: 3600, 90m, 2h, 1d.",
            unit=SECONDS,
        ),
    ] = 3600
    starting_deadline: Annotated[
        Annotated[float, Field(gt=0)] | None,
        About(
            label="Starting deadline",
            hint="From the tick to the start on a worker. Later, the run expires and does not "
            "start.",
            option="From the tick to the start; later it expires.",
            unit=SECONDS,
            empty="no limit",
        ),
    ] = None
    run_timeout: Annotated[
        Annotated[float, Field(gt=0)] | None,
        About(
            label="Run timeout",
            hint="How long one attempt may run: it is asked to stop, then stopped.",
            option="How long one attempt may run.",
            unit=SECONDS,
            empty="no limit",
        ),
    ] = None
    retries: Annotated[
        int,
        Field(ge=0, le=100),
        About(
            label="Retries",
            hint="Attempts after the first, beside those that the job declares itself.",
            option="Attempts after the first, beside the job's own.",
        ),
    ] = 0
    retry_backoff: Annotated[
        float,
        Field(gt=0),
        About(
            label="Retry backoff",
            hint="The wait before the first retry; it doubles with each.",
            option="Before the first retry; doubles with each.",
            unit=SECONDS,
        ),
    ] = 60
    on_lost: Annotated[
        Literal["again", "fail"],
        About(
            label="On a lost run",
            hint="When the worker's machine dies while it runs",
            option="The worker's machine died while it ran.",
            choices=(
                Choice(
                    "again",
                    "Run again",
                    "Its message is delivered to another worker, which runs it once more.",
                ),
                Choice(
                    "fail",
                    "Fail",
                    "It has failed, for jobs that must not run twice; only retries run it again.",
                ),
            ),
        ),
    ] = "again"
    pause_after_failures: Annotated[
        Annotated[int, Field(ge=1)] | None,
        About(
            label="Pause after failures",
            hint="So many failed ticks in a row, and the schedule pauses itself.",
            option="Failed ticks in a row that pause it.",
            empty="never",
        ),
    ] = None
    jitter: Annotated[
        float,
        Field(ge=0),
        About(
            label="Jitter",
            hint=(
                "Each tick is sent up to so much later, never past the next; the same delay each "
                "time it is computed."
            ),
            option="Spread each tick by up to so much.",
            unit=SECONDS,
        ),
    ] = 0


STOCK = Policies(overlap="allow", catch_up_window=366 * 86_400)
"""RedBeat's treatment of an entry without policies.

Runs may overlap, and after an absence one run catches up.
"""


class Window(Frozen):
    """The ticks that count: from `starts_at`, before `ends_at`, the first `max_runs`.

    Ticks excluded by the calendar do not count.
    """

    starts_at: Annotated[
        AwareDatetime | None,
        About(
            label="Starts at",
            hint="No tick before it, on the schedule's clock.",
            option="No tick before this time.",
        ),
    ] = None
    ends_at: Annotated[
        AwareDatetime | None,
        About(
            label="Ends at",
            hint="No tick from it on; then the schedule is finished.",
            option="No tick from this time on.",
        ),
    ] = None
    max_runs: Annotated[
        Annotated[int, Field(ge=1)] | None,
        About(
            label="At most",
            hint="So many runs, then the schedule is finished.",
            option="So many runs, then it is finished.",
            empty="no limit",
        ),
    ] = None
    calendar: Annotated[
        str | None,
        About(
            label="Calendar",
            hint="Ticks that fall into it are skipped.",
            option="Ticks that fall into this calendar are skipped.",
            metavar="NAME",
            max_length=100,
        ),
    ] = None
