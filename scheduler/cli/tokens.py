"""`beatdesk tokens`: tokens for programs that call the console."""

from typing import TYPE_CHECKING

import click

from scheduler.cli.access_records import record_access
from scheduler.cli.fields import actor
from scheduler.cli.output import json_option, print_json, print_table, to_the_second
from scheduler.clock import utc_now
from scheduler.errors import Refused
from scheduler.events.access import TokenCreated, TokenRevoked
from scheduler.services.services import Services

if TYPE_CHECKING:
    from scheduler.accounts.tokens import TokenFacts


@click.group()
def tokens() -> None:
    """Make, list and revoke tokens, by which programs call the console."""


@tokens.command()
@click.argument("name")
@click.option("--scope", default="read", show_default=True, help="read, operate or admin.")
@click.option("--tag", help="The token changes schedules with this tag only.")
@click.option("--expires", default="90d", show_default=True, help="Days until it expires.")
@click.option("--owner", help="Address of an account; by default the token is a service's.")
@json_option
@click.pass_obj
def create(
    services: Services,
    *,
    name: str,
    scope: str,
    tag: str | None,
    expires: str,
    owner: str | None,
    as_json: bool,
) -> None:
    """Make the token NAME. It is printed once, and never more."""
    made = services.tokens.create(
        name, scope, owner=owner, by=actor(), now=utc_now(), tag=tag, days=_days(expires)
    )
    record_access(services, TokenCreated, made.name, made.summary)
    if as_json:
        print_json(made.model_dump(), reveals=True)
        return
    click.echo(f"{made.name} ({made.scope}) expires {to_the_second(made.expires_at)}")
    click.echo(f"token: {made.token}")


@tokens.command("list")
@json_option
@click.pass_obj
def list_tokens(services: Services, as_json: bool) -> None:
    """List all tokens, also revoked and expired ones."""
    facts = services.tokens.list()
    if as_json:
        print_json({"items": [one.model_dump() for one in facts], "next": None})
        return
    print_table(
        ["ID", "NAME", "OWNER", "SCOPE", "TAG", "STATE", "EXPIRES", "USED"],
        [_row(one) for one in facts],
    )


@tokens.command()
@click.argument("token", type=click.IntRange(1, 2**31 - 1), metavar="ID")
@json_option
@click.pass_obj
def revoke(services: Services, token: int, as_json: bool) -> None:
    """Refuse the token with the number ID from now on."""
    facts = services.tokens.revoke(token, now=utc_now())
    record_access(services, TokenRevoked, facts.name, facts.owner or "a service")
    if as_json:
        print_json(facts.model_dump())
        return
    click.echo(f"{facts.name} is revoked")


def _row(facts: "TokenFacts") -> list[str]:
    return [
        str(facts.id),
        facts.name,
        facts.owner or "a service",
        facts.scope,
        facts.tag or "-",
        facts.state(utc_now()),
        to_the_second(facts.expires_at),
        to_the_second(facts.used_at),
    ]


def _days(text: str) -> int:
    """Return the days in a text such as `90d` or `90`. Raises Refused."""
    digits = text.removesuffix("d")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5):
        raise Refused(f"expires: {text[:20]!r} is not a number of days, such as 90d", field="days")
    return int(digits)
