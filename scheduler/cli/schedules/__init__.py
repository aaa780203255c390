"""`beatdesk schedules`: the same edits as the console's, for people at a terminal and for scripts.

    definition   options -> the Spec that an operator means
    listing      list, show
    changes      add, edit, enable, disable, delete
    owning       reset, adopt: whose a schedule is
    bulk         the same to many schedules
    removed      the deleted ones, for list and restore
    starting     run
    operating    pause, resume, skip, pause-all, resume-all
    backfilling  backfill
    ticks        next, preview
    past         history, revisions, restore
    rebuilding   rebuild

`export`, `plan`, `apply` and `import` are about many schedules and stand in `cli.sets` and
`cli.importing`.

Commands are roots: they read the clock once and pass `now` on. They decide nothing about schedules
themselves; the store refuses, and whatever it refuses is shown with the field and the remedy.
"""

import click

from scheduler.cli import importing, sets
from scheduler.cli.schedules import (
    backfilling,
    bulk,
    changes,
    listing,
    operating,
    owning,
    past,
    rebuilding,
    starting,
    ticks,
)


@click.group()
def schedules() -> None:
    """List, make, change and run schedules."""


for command in (
    listing.list_schedules,
    listing.show,
    changes.add,
    changes.edit,
    changes.enable,
    changes.disable,
    changes.delete,
    owning.reset,
    owning.adopt,
    bulk.bulk,
    starting.run,
    operating.pause,
    operating.resume,
    operating.skip,
    operating.drop_waiting,
    operating.pause_all,
    operating.resume_all,
    backfilling.backfill,
    ticks.next_ticks,
    ticks.preview_rule,
    past.history,
    past.revisions,
    past.restore,
    rebuilding.rebuild,
    sets.export_set,
    sets.plan_set,
    sets.apply_set,
    importing.import_schedules,
):
    schedules.add_command(command)
