"""What each endpoint that changes something records: kinds of events, or why none. Pure.

A test fails for an endpoint with POST that has no row here.
"""

from collections.abc import Mapping

_EDITS = ("schedule.saved",)
_CALENDAR = ("calendar.saved",)

RECORDS: Mapping[str, tuple[str, ...]] = {
    "security.login": ("access.logged_in", "access.login_failed", "access.recovery_code_used"),
    "second_step.show": ("access.logged_in", "access.login_failed", "access.recovery_code_used"),
    "security.logout": ("access.logged_out",),
    "single_sign_on.back": (
        "access.logged_in",
        "access.login_failed",
        "access.account_created",
        "access.role_changed",
    ),
    "password_links.use": ("access.password_changed",),
    "users.invite": ("access.account_invited",),
    "users.set_role": ("access.role_changed",),
    "users.grant": ("access.role_changed",),
    "users.withdraw": ("access.role_changed",),
    "users.disable": ("access.account_disabled",),
    "users.enable": ("access.account_enabled",),
    "users.reset_password": ("access.password_changed",),
    "users.reset_second_factor": ("access.second_factor_reset",),
    "users.sign_out": ("access.sessions_ended",),
    "account.set_password": ("access.password_changed",),
    "account.end_session": ("access.sessions_ended",),
    "account.sign_out": ("access.sessions_ended",),
    "second_factor.confirm": ("access.second_factor_added",),
    "second_factor.remove": ("access.second_factor_removed",),
    "second_factor.renew_codes": ("access.second_factor_added",),
    "account.create_token": ("access.token_created",),
    "account.revoke_token": ("access.token_revoked",),
    "tokens.create": ("access.token_created",),
    "tokens.revoke": ("access.token_revoked",),
    "audit.export": ("access.exported",),
    "reports.download": ("access.exported",),
    "schedules.export": ("access.exported",),
    "schedules.bulk_export": ("access.exported",),
    "schedules.create": _EDITS,
    "schedules.edit": _EDITS,
    "schedules.clone": _EDITS,
    "schedules.bulk_change": _EDITS,
    "schedules.import_set": (*_EDITS, "schedule.deleted", *_CALENDAR),
    "schedules.enable": ("schedule.enabled",),
    "schedules.disable": ("schedule.disabled",),
    "schedules.pause": ("schedule.paused",),
    "schedules.resume": ("schedule.resumed",),
    "schedules.bulk_pause": ("schedule.paused",),
    "schedules.pause_all": ("schedule.paused",),
    "schedules.resume_all": ("schedule.resumed",),
    "schedules.skip": ("schedule.tick_skipped",),
    "schedules.keep": ("schedule.tick_kept",),
    "schedules.restore": ("schedule.restored",),
    "schedules.revive": ("schedule.restored",),
    "schedules.reset": ("schedule.reset",),
    "schedules.adopt": ("schedule.adopted",),
    "schedules.delete": ("schedule.deleted",),
    "schedules.bulk_delete": ("schedule.deleted",),
    "schedules.bulk": ("schedule.enabled", "schedule.disabled", "schedule.resumed", "run.queued"),
    "schedules.run": ("run.queued",),
    "schedules.backfill": ("run.queued",),
    "schedules.drop_waiting": ("ticks.skipped",),
    "schedules.move_waiting": ("run.moved",),
    "runs.cancel": ("run.revoked",),
    "runs.rerun": ("run.queued",),
    "calendars.create": _CALENDAR,
    "calendars.edit": _CALENDAR,
    "calendars.delete": ("calendar.deleted",),
    "dead_letters.retry": ("dead_letters.retried",),
    "dead_letters.retry_all": ("dead_letters.retried",),
    "dead_letters.drop": ("dead_letters.dropped",),
    "dead_letters.drop_all": ("dead_letters.dropped",),
    "starter.signup": ("run.queued",),
    "starter.start_task": ("run.queued",),
}
"""Kinds of events by endpoint."""

RECORDS_NOTHING: Mapping[str, str] = {
    "account.set_zone": "changes the zone of the times that its owner sees",
    "calendars.import_ics": "shows what a file excludes; saving is an endpoint of its own",
    "jobs.forget": "hides a job that no worker offers, until a worker offers it again",
    "preferences.save": "sets a cookie of the visitor's own browser",
    "schedules.preview": "shows the coming ticks of an unsaved rule",
    "second_factor.set_up": "shows a new secret, which counts after its first code",
    "security.verify": "is closed to everyone",
}
"""Endpoints with POST that record nothing, and why."""
