"""`beatdesk schedules`: the console's edits for people at a terminal and for scripts.

    definition   options -> a Spec
    listing      list, show
    changes      add, edit, enable, disable, delete
    adopt_reset  reset, adopt: code or operator as the owner of a schedule
    bulk         one edit of many schedules
    deleted      deleted schedules, for list and restore
    moving       move-waiting
    run          run
    pause_resume pause, resume, skip, pause-all, resume-all
    backfill     backfill
    ticks        next, preview
    history      history, revisions, restore
    rebuild      rebuild

`export`, `plan`, `apply` and `import` handle many schedules and stand in `cli.sets` and
`cli.importing`.

Commands are roots: each command reads the clock once and passes `now` on. Commands decide nothing
about schedules; a refusal of the store is printed with the field and the remedy.
"""

import click

from scheduler.cli.lazy_command import LazyCommand

COMMANDS = (
    LazyCommand(
        "list",
        "scheduler.cli.schedules.listing:list_schedules",
        "List schedules with their words, next run and newest run.",
    ),
    LazyCommand("show", "scheduler.cli.schedules.listing:show", "Show schedule NAME."),
    LazyCommand(
        "add",
        "scheduler.cli.schedules.changes:add",
        "Make a schedule NAME that runs JOB.",
    ),
    LazyCommand(
        "edit",
        "scheduler.cli.schedules.changes:edit",
        "Change the named fields of schedule NAME, and no others.",
    ),
    LazyCommand(
        "enable",
        "scheduler.cli.schedules.changes:enable",
        "Switch schedule NAME on.",
    ),
    LazyCommand(
        "disable",
        "scheduler.cli.schedules.changes:disable",
        "Switch schedule NAME off.",
    ),
    LazyCommand("delete", "scheduler.cli.schedules.changes:delete", "Delete schedule NAME."),
    LazyCommand(
        "reset",
        "scheduler.cli.schedules.adopt_reset:reset",
        "Take the override off schedule NAME, and return to the values of the code "
        "(beat_schedule).",
    ),
    LazyCommand(
        "adopt",
        "scheduler.cli.schedules.adopt_reset:adopt",
        "Make schedule NAME, written by plain RedBeat code, an operator's.",
    ),
    LazyCommand(
        "bulk",
        "scheduler.cli.schedules.bulk:bulk",
        "Edit many schedules at once: all chosen ones, or, after a refusal, none.",
    ),
    LazyCommand(
        "move-waiting",
        "scheduler.cli.schedules.moving:move_waiting",
        "Move the waiting runs of schedule NAME to its present queue, but for what a worker has.",
    ),
    LazyCommand("run", "scheduler.cli.schedules.run:run", "Run schedule NAME now."),
    LazyCommand(
        "pause",
        "scheduler.cli.schedules.pause_resume:pause",
        "Let nothing of schedule NAME fire until it is resumed.",
    ),
    LazyCommand(
        "resume",
        "scheduler.cli.schedules.pause_resume:resume",
        "End the pause of schedule NAME.",
    ),
    LazyCommand(
        "skip",
        "scheduler.cli.schedules.pause_resume:skip",
        "Let one coming tick of schedule NAME pass without a run.",
    ),
    LazyCommand(
        "drop-waiting",
        "scheduler.cli.schedules.pause_resume:drop_waiting",
        "Drop the waiting ticks of schedule NAME.",
    ),
    LazyCommand(
        "pause-all",
        "scheduler.cli.schedules.pause_resume:pause_all",
        "Pause every enabled schedule.",
    ),
    LazyCommand(
        "resume-all",
        "scheduler.cli.schedules.pause_resume:resume_all",
        "Resume the schedules paused by `pause-all`; other pauses stay.",
    ),
    LazyCommand(
        "backfill",
        "scheduler.cli.schedules.backfill:backfill",
        "Start a run of schedule NAME for each of its ticks from T up to T, oldest first.",
    ),
    LazyCommand(
        "next",
        "scheduler.cli.schedules.ticks:next_ticks",
        "Show the next ticks of schedule NAME.",
    ),
    LazyCommand(
        "preview",
        "scheduler.cli.schedules.ticks:preview_rule",
        "Show what a rule means, in words and ticks, before anything is saved.",
    ),
    LazyCommand(
        "history",
        "scheduler.cli.schedules.history:history",
        "Show the runs of schedule NAME, newest first.",
    ),
    LazyCommand(
        "revisions",
        "scheduler.cli.schedules.history:revisions",
        "Show who changed schedule NAME, when and why, newest first.",
    ),
    LazyCommand(
        "restore",
        "scheduler.cli.schedules.history:restore",
        "Save an earlier REVISION of schedule NAME as the newest one, or restore a deleted "
        "schedule.",
    ),
    LazyCommand(
        "rebuild",
        "scheduler.cli.schedules.rebuild:rebuild",
        "Repair the schedules and calendars in Redis from the history, and add missing events "
        "to the history.",
    ),
    LazyCommand(
        "export",
        "scheduler.cli.sets:export_set",
        "Write the schedules as YAML, to FILE or to standard output.",
    ),
    LazyCommand(
        "plan",
        "scheduler.cli.sets:plan_set",
        "Show what `apply FILE` would change, and which runs of the next 30 days.",
    ),
    LazyCommand(
        "apply",
        "scheduler.cli.sets:apply_set",
        "Apply all schedules of FILE, or, after a fault, none.",
    ),
    LazyCommand(
        "import",
        "scheduler.cli.importing:import_schedules",
        "Take schedules over from SOURCE, and report each new, changed or refused schedule.",
    ),
)
"""All commands of the group, in the order of the help."""


@click.group(commands=COMMANDS)
def schedules() -> None:
    """List, make, change and run schedules."""
