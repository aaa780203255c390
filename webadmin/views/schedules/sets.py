"""Schedules as YAML: export of all or a selection, one schedule's text, and import.

An import applies exactly the plan shown: the plan is computed again from the text, and a changed
plan is shown again.
"""

from hashlib import sha256

from flask import Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose

from scheduler.clock import utc_now
from scheduler.errors import Refused, StaleRevision
from scheduler.interface.sets import plan_json
from scheduler.rules.phrases import counted
from scheduler.sets.apply import Applied, apply, plan_text
from scheduler.sets.export import export
from scheduler.sets.plan import Plan, with_runs
from webadmin.access.recording import record_export
from webadmin.form_values import comment
from webadmin.guard import edit_by_visitor, may
from webadmin.services import services

FILE_NAME = "schedules.yaml"


class SetPages(BaseView):
    """`/schedules/export`, `/schedules/import` and `/schedules/<name>/yaml`."""

    @expose("/export")
    def export(self) -> ResponseReturnValue:
        """Send all schedules, or those with a tag, as a file."""
        tag = request.args.get("tag", "")
        return _file(
            export(
                services().schedules.stored(),
                services().calendars.stored(),
                tags=[tag] if tag else [],
            ).text
        )

    @expose("/bulk-export", methods=["POST"])
    def bulk_export(self) -> ResponseReturnValue:
        """Send the selected schedules as a file."""
        names = request.form.getlist("name")
        if not names:
            flash("Select schedules first, then choose what to do with them.", "warning")
            return redirect(url_for(".index"), 303)
        return _file(
            export(services().schedules.stored(), services().calendars.stored(), names=names).text
        )

    @expose("/<path:name>/yaml")
    def yaml(self, name: str) -> ResponseReturnValue:
        """Show one schedule's YAML for copying."""
        listed = services().schedules.listed(name)
        if listed.schedule is None:
            return redirect(url_for(".show", name=name), 303)
        exported = export(
            services().schedules.stored(), services().calendars.stored(), names=[name]
        )
        return self.render(
            "schedules/detail/yaml.html", name=name, text=exported.text if exported.names else None
        )

    @expose("/import", methods=["GET", "POST"])
    def import_set(self) -> ResponseReturnValue:
        """Plan a pasted set, show the changes, and apply the confirmed plan."""
        if request.method != "POST":
            return self._import_page("", None, None)
        text, now = request.form.get("text", ""), utc_now()
        prune = bool(request.form.get("prune")) and _may_delete()
        try:
            plan = plan_text(
                text, services().schedules, services().calendars, services().catalogue, now
            )
            if request.form.get("seen") == _digest(plan, prune):
                done = apply(
                    plan,
                    services().schedules,
                    prune=prune,
                    edit=edit_by_visitor(now=now, comment=comment()),
                )
                flash(_outcome(done), "success")
                return redirect(url_for(".index"), 303)
        except (Refused, StaleRevision) as error:
            return self._import_page(text, None, str(error), prune=prune), 422
        if request.form.get("seen"):
            flash(
                "Something has changed since the plan was shown. Look at it again before you "
                "apply it.",
                "warning",
            )
        return self._import_page(
            text,
            with_runs(plan, now, services().calendars.existing),
            None,
            digest=_digest(plan, prune),
            prune=prune,
        )

    def _import_page(
        self,
        text: str,
        plan: Plan | None,
        fault: str | None,
        *,
        digest: str = "",
        prune: bool = False,
    ) -> str:
        return self.render(
            "schedules/list/import.html",
            text=text,
            plan=plan,
            fault=fault,
            digest=digest,
            prune=prune,
            may_prune=_may_delete(),
        )


def _may_delete() -> bool:
    return may("schedules.delete")


def _digest(plan: Plan, prune: bool) -> str:
    """Return a fingerprint of a plan's effect, revisions included."""
    stored = [getattr(item.spec, "revision", 0) for item in plan.only_stored]
    return sha256(repr((plan_json(plan), stored, prune)).encode()).hexdigest()


def _outcome(done: Applied) -> str:
    counts = (
        (len(done.created), "made"),
        (len(done.changed), "changed"),
        (len(done.deleted), "deleted"),
    )
    changes = ", ".join(f"{count} {what}" for count, what in counts if count)
    calendars = len(done.created_calendars) + len(done.changed_calendars)
    if calendars:
        saved = f"{counted(calendars, 'calendar')} saved"
        changes = f"{saved}, {changes}" if changes else saved
    return (
        f"The set is applied: {changes}."
        if changes
        else "The set is applied: there was nothing to change."
    )


def _file(text: str) -> Response:
    record_export(FILE_NAME)
    answer = Response(text, mimetype="application/yaml")
    answer.headers["Content-Disposition"] = f'attachment; filename="{FILE_NAME}"'
    return answer
