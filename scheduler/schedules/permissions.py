"""Permission to save a job by the actor's role, and approval of the saved call for the worker."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from scheduler.catalogue.records import ADMIN, refuse_role
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import Spec
from scheduler.runs.approvals import Approvals, Call

if TYPE_CHECKING:
    from scheduler.catalogue.catalogue import Catalogue


class Permissions:
    """Permissions by the catalogue, and approvals by the process's key."""

    def __init__(self, catalogue: "Catalogue", approvals: Approvals) -> None:
        self._catalogue = catalogue
        self._approvals = approvals

    def permitted(self, edit: Edit, jobs: Iterable[str]) -> Edit:
        """Return the edit, able to approve calls of these jobs where the actor's role may.

        Raises Refused where the role may not save one of the jobs. A job that is missing from the
        catalogue is judged by the worker: an operator's call of it has no approval.
        """
        least = self._catalogue.least_roles(set(jobs))
        for job, role in least.items():
            refuse_role(job, role, edit.role)
        if edit.role not in (None, ADMIN):
            return edit

        def approve(uid: str, spec: Spec) -> str | None:
            call = Call(spec.job, spec.args, spec.kwargs, uid)
            return self._approvals.needed(call, lambda _: least)

        return replace(edit, approve=approve)
