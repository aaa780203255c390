"""The schedule screens: list, editor, detail page and buttons.

One Flask-Admin view, composed of one class for each screen. No screen interprets a schedule or
accesses Redis: the store does both.
"""

from webadmin.guard import Guard
from webadmin.views.schedules.adopt_reset import AdoptResetPages
from webadmin.views.schedules.backfill import BackfillPages
from webadmin.views.schedules.bulk_change import BulkChangePages
from webadmin.views.schedules.changes import ChangePages
from webadmin.views.schedules.deleted import DeletedPages
from webadmin.views.schedules.editor import EditorPages
from webadmin.views.schedules.listing import ListPages
from webadmin.views.schedules.pause_resume import PauseResumePages
from webadmin.views.schedules.previews import PreviewPages
from webadmin.views.schedules.revisions import RevisionPages
from webadmin.views.schedules.sets import SetPages


class SchedulesView(
    Guard,
    ListPages,
    EditorPages,
    PreviewPages,
    PauseResumePages,
    BackfillPages,
    RevisionPages,
    AdoptResetPages,
    DeletedPages,
    BulkChangePages,
    SetPages,
    ChangePages,
):
    """The pages below `/schedules/`."""
