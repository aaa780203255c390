"""`beatdesk doctor`: every requirement of a run, and the remedy for each missing one."""

import sys
from typing import TYPE_CHECKING

import click

from scheduler.cli.output import json_option, print_json, print_table
from scheduler.clock import utc_now
from scheduler.settings.errors import EXPLAINED, PREFIX, BadSettings

if TYPE_CHECKING:
    from scheduler.health.status import Part


@click.command()
@click.option(
    "--hardening",
    is_flag=True,
    help="Check instead what protects the installation: user, files, keys, logins, TLS, proxies.",
)
@json_option
@click.pass_context
def doctor(ctx: click.Context, hardening: bool, as_json: bool) -> None:
    """Check every requirement of a run, and name the remedies. Exit code 1 if anything is
    missing.
    """
    parts = _examine(ctx, hardening=hardening)
    ok = all(part.ok for part in parts)
    if as_json:
        print_json({"ok": ok, "checks": parts})
        sys.exit(0 if ok else 1)
    print_table(
        ["CHECK", "", "WHAT"],
        [[part.name, "ok" if part.ok else "FAIL", part.summary] for part in parts],
    )
    for part in parts:
        if not part.ok:
            click.echo(f"{part.name}: {part.remedy}", err=True)
    if any(part.name.startswith(PREFIX) for part in parts):
        click.echo(f"settings: {EXPLAINED}", err=True)
    sys.exit(0 if ok else 1)


def _examine(ctx: click.Context, *, hardening: bool) -> "list[Part]":
    from scheduler.health import doctor as checks
    from scheduler.health import hardening as protection
    from scheduler.health.status import Part
    from scheduler.jobs.readiness import of_jobs, report_database
    from scheduler.services.services import Services
    from scheduler.settings.environment import load

    try:
        services = ctx.obj or Services(load())
    except BadSettings as error:
        faults = [
            Part(
                name=fault.name,
                ok=False,
                summary=f"{fault.problem} ({fault.source})",
                remedy=fault.remedy,
            )
            for fault in error.faults
        ]
        return [checks.python(), *faults]
    if hardening:
        return [*protection.check_all(services), *report_database(services.settings)]
    now = utc_now()
    return [*checks.check_all(services, now), *of_jobs(services.settings, now)]
