"""`beatdesk users`: the accounts for the console."""

import sys
from typing import TYPE_CHECKING

import click

from scheduler.cli.access_records import record_access
from scheduler.cli.fields import actor
from scheduler.cli.output import json_option, print_json, print_table, to_the_second
from scheduler.clock import utc_now
from scheduler.events.access import (
    AccountCreated,
    AccountDisabled,
    AccountEnabled,
    AccountInvited,
    PasswordChanged,
    RoleChanged,
    SecondFactorReset,
    SessionsEnded,
    role_for_tag,
)
from scheduler.services.services import Services

if TYPE_CHECKING:
    from scheduler.accounts.password_links import Link
    from scheduler.accounts.policy import Account

url_option = click.option("--url", help="Address of the console; default: the one of `up`.")


@click.group()
def users() -> None:
    """Say who may log in to the console."""


@users.command()
@click.argument("email")
@click.option("--role", default="viewer", show_default=True, help="viewer, operator or admin.")
@click.option(
    "--password-stdin",
    is_flag=True,
    help="Read the password from standard input; by default one is generated.",
)
@json_option
@click.pass_obj
def create(services: Services, email: str, role: str, password_stdin: bool, as_json: bool) -> None:
    """Add an account for EMAIL. A made-up password is printed once."""
    made = services.accounts.create(email, _given(password_stdin), role, now=utc_now())
    record_access(services, AccountCreated, made.email, role)
    _say(made, "is created", as_json)


@users.command("list")
@json_option
@click.pass_obj
def list_users(services: Services, as_json: bool) -> None:
    """List all accounts."""
    accounts = services.accounts.list()
    if as_json:
        print_json({"items": [_plain(account) for account in accounts], "next": None})
        return
    rows = [
        [
            account.email,
            account.role or "-",
            "active" if account.active else "disabled",
            f"{account.created_at:%Y-%m-%d}",
            ", ".join(f"{role} of {tag}" for tag, role in account.tags.items()),
        ]
        for account in accounts
    ]
    print_table(["EMAIL", "ROLE", "STATE", "CREATED", "BY TAG"], rows)


@users.command("set-role")
@click.argument("email")
@click.argument("role")
@json_option
@click.pass_obj
def set_role(services: Services, email: str, role: str, as_json: bool) -> None:
    """Give EMAIL the role ROLE: viewer, operator or admin. Its sessions end."""
    changed = services.accounts.set_role(email, role)
    record_access(services, RoleChanged, changed.email, role)
    _say(changed, f"is {role} now", as_json)


@users.command("reset-password")
@click.argument("email")
@click.option(
    "--password-stdin",
    is_flag=True,
    help="Read the password from standard input; by default one is generated.",
)
@json_option
@click.pass_obj
def reset_password(services: Services, email: str, password_stdin: bool, as_json: bool) -> None:
    """Give EMAIL a new password. Its sessions end."""
    changed = services.accounts.reset_password(email, _given(password_stdin))
    record_access(services, PasswordChanged, changed.email)
    _say(changed, "has a new password", as_json)


@users.command("reset-second-factor")
@click.argument("email")
@json_option
@click.pass_obj
def reset_second_factor(services: Services, email: str, as_json: bool) -> None:
    """Remove the authenticator app, passkeys and recovery codes of EMAIL. Its sessions end."""
    address = services.second_factors.reset(email)
    record_access(services, SecondFactorReset, address)
    _say(services.accounts.get(address), "has no second factor any more", as_json)


@users.command()
@click.argument("email")
@json_option
@click.pass_obj
def disable(services: Services, email: str, as_json: bool) -> None:
    """Let EMAIL log in no more. Its sessions end."""
    disabled = services.accounts.disable(email)
    record_access(services, AccountDisabled, disabled.email)
    _say(disabled, "is disabled", as_json)


@users.command()
@click.argument("email")
@json_option
@click.pass_obj
def enable(services: Services, email: str, as_json: bool) -> None:
    """Let EMAIL log in again."""
    enabled = services.accounts.enable(email)
    record_access(services, AccountEnabled, enabled.email)
    _say(enabled, "is enabled", as_json)


@users.command("sign-out")
@click.argument("email")
@json_option
@click.pass_obj
def sign_out(services: Services, email: str, as_json: bool) -> None:
    """End all sessions of EMAIL."""
    account = services.accounts.sign_out(email)
    record_access(services, SessionsEnded, account.email)
    _say(account, "is signed out everywhere", as_json)


@users.command()
@click.argument("email")
@click.argument("role")
@click.argument("tag")
@json_option
@click.pass_obj
def grant(services: Services, email: str, role: str, tag: str, as_json: bool) -> None:
    """Give EMAIL the role ROLE (operator or admin) for the schedules tagged TAG."""
    account = services.accounts.grant(email, role, tag)
    record_access(services, RoleChanged, account.email, role_for_tag(role, tag))
    _say(account, f"is {role} of {tag} now", as_json)


@users.command()
@click.argument("email")
@click.argument("tag")
@json_option
@click.pass_obj
def withdraw(services: Services, email: str, tag: str, as_json: bool) -> None:
    """Take the role of EMAIL for the tag TAG away."""
    account = services.accounts.withdraw(email, tag)
    record_access(services, RoleChanged, account.email, role_for_tag(None, tag))
    _say(account, f"has no role for {tag} any more", as_json)


@users.command()
@click.argument("email")
@click.option("--role", default="viewer", show_default=True, help="viewer, operator or admin.")
@url_option
@json_option
@click.pass_obj
def invite(services: Services, email: str, role: str, url: str | None, as_json: bool) -> None:
    """Add an account for EMAIL, and print the link that sets its password once."""
    link = services.password_links.invite(email, role, by=actor(), now=utc_now())
    record_access(services, AccountInvited, link.email, role)
    _say_link(services, link, url, as_json)


@users.command("reset-link")
@click.argument("email")
@url_option
@json_option
@click.pass_obj
def reset_link(services: Services, email: str, url: str | None, as_json: bool) -> None:
    """Take the password of EMAIL away, and print the link that sets a new one once."""
    link = services.password_links.reset(email, by=actor(), now=utc_now())
    record_access(services, PasswordChanged, link.email, "taken away")
    _say_link(services, link, url, as_json)


def _say_link(services: Services, link: "Link", url: str | None, as_json: bool) -> None:
    settings = services.settings
    here = f"http://{settings.web_host}:{settings.web_port}{settings.path_prefix or ''}"
    root = (url or here).rstrip("/")
    address = f"{root}/password/{link.text}"
    if as_json:
        print_json(link.model_dump(exclude={"text"}) | {"url": address}, reveals=True)
        return
    click.echo(f"{link.email} sets the password here, until {to_the_second(link.expires_at)}:")
    click.echo(address)


def _given(password_stdin: bool) -> str | None:
    """Return the password from standard input, or None.

    Never from the command line, readable by every user of the machine.
    """
    return sys.stdin.readline().rstrip("\r\n") if password_stdin else None


def _say(account: "Account", what: str, as_json: bool) -> None:
    if as_json:
        print_json(_plain(account), reveals=True)
        return
    click.echo(f"{account.email} {what} ({account.role})")
    if account.password:
        click.echo(f"password: {account.password}")


def _plain(account: "Account") -> dict[str, object]:
    """Return the account as JSON fields; with a password only if just generated."""
    return account.model_dump(exclude={"password"} if account.password is None else set())
