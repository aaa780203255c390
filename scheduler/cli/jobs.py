"""`beatdesk jobs`: the jobs published by workers. Imports no job code."""

import click

from scheduler.catalogue.call_check import call_of
from scheduler.catalogue.catalogue import unknown_job
from scheduler.catalogue.records import Job, Parameter
from scheduler.cli.output import (
    json_option,
    print_facts,
    print_json,
    print_table,
)
from scheduler.clock import utc_now
from scheduler.services.services import Services


@click.group()
def jobs() -> None:
    """List and show the jobs that can be scheduled."""


@jobs.command("list")
@json_option
@click.pass_obj
def list_jobs(services: Services, /, *, as_json: bool) -> None:
    """List the jobs offered by workers."""
    offered = services.catalogue.jobs(utc_now())
    if as_json:
        print_json({"items": [job.model_dump(mode="json") for job in offered], "next": None})
        return
    rows = [[job.name, job.title, job.queue or "-", _workers(job), call_of(job)] for job in offered]
    print_table(["JOB", "TITLE", "QUEUE", "WORKERS", "CALL"], rows)
    if not offered:
        click.echo(
            "no worker has published a job; start one with `celery -A scheduler worker`", err=True
        )


@jobs.command()
@click.argument("name", metavar="JOB")
@json_option
@click.pass_obj
def show(services: Services, /, *, name: str, as_json: bool) -> None:
    """Show JOB with its parameters."""
    now = utc_now()
    job = services.catalogue.get(name, now)
    if job is None:
        raise unknown_job(name, [offered.name for offered in services.catalogue.jobs(now)])
    if as_json:
        print_json(job.model_dump(mode="json"))
        return
    facts = [
        ("job", job.name),
        ("title", job.title),
        ("module", job.module),
        ("queue", job.queue or "-"),
    ]
    facts += [
        ("soft limit", _seconds(job.soft_time_limit)),
        ("hard limit", _seconds(job.time_limit)),
    ]
    facts += [("retries", "none of its own" if job.retries is None else f"{job.retries} at most")]
    offered = ", ".join(job.workers) or "gone: no living worker offers it"
    print_facts([*facts, ("workers", offered), ("about", job.doc)])
    if job.parameters:
        click.echo("")
        print_table(
            ["PARAMETER", "TYPE", "DEFAULT", "ABOUT"],
            [_row(parameter) for parameter in job.parameters],
        )


def _workers(job: Job) -> str:
    return "gone" if job.is_gone else str(len(job.workers))


def _seconds(limit: float | None) -> str:
    return "none" if limit is None else f"{limit:g} s"


def _row(parameter: Parameter) -> list[str]:
    default = "required" if parameter.required else repr(parameter.default)
    return [parameter.name, parameter.annotation or "-", default, parameter.doc or ""]
