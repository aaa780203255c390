"""`beatdesk schedules`: the console's edits for people at a terminal and for scripts.

    definition   options -> a Spec
    listing      list, show
    changes      add, edit, enable, disable, delete
    adopt_reset  reset, adopt: code or operator as the owner of a schedule
    bulk         one edit of many schedules
    deleted      deleted schedules, for list and restore
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
        "Change the named fields of schedule NAME; everything else stays as it is.",
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
        "Take the override off schedule NAME, so that it is as code (beat_schedule) says.",
    ),
    LazyCommand(
        "adopt",
        "scheduler.cli.schedules.adopt_reset:adopt",
        "Make schedule NAME, which plain RedBeat code wrote, an operator's.",
    ),
    LazyCommand(
        "bulk",
        "scheduler.cli.schedules.bulk:bulk",
        "Do the same to many schedules: to all that are named or found, or with one refusal to "
        "none.",
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
        "Let the ticks of schedule NAME that wait for their turn have none.",
    ),
    LazyCommand(
        "pause-all",
        "scheduler.cli.schedules.pause_resume:pause_all",
        "Pause every schedule that is on.",
    ),
    LazyCommand(
        "resume-all",
        "scheduler.cli.schedules.pause_resume:resume_all",
        "Resume what `pause-all` has paused; what was paused on its own stays so.",
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
        "Save an earlier REVISION of schedule NAME as its newest one, or make a deleted schedule "
        "anew as it was then.",
    ),
    LazyCommand(
        "rebuild",
        "scheduler.cli.schedules.rebuild:rebuild",
        "Repair the schedules and calendars in Redis from the history, and tell the history what "
        "it lacks.",
    ),
    LazyCommand(
        "export",
        "scheduler.cli.sets:export_set",
        "Write the schedules as YAML, to FILE or to standard output.",
    ),
    LazyCommand(
        "plan",
        "scheduler.cli.sets:plan_set",
        "Say what `apply FILE` would change, and which runs of the next 30 days.",
    ),
    LazyCommand(
        "apply",
        "scheduler.cli.sets:apply_set",
        "Make the schedules those of FILE: all of them, or with one fault none.",
    ),
    LazyCommand(
        "import",
        "scheduler.cli.importing:import_schedules",
        "Take schedules over from SOURCE, and report each that was taken, changed or refused.",
    ),
)
"""All commands of the group, in the order of the help."""


@click.group(commands=COMMANDS)
def schedules() -> None:
    """List, make, change and run schedules."""
