"""Texts of `up` for the person at the terminal. Pure: facts in, text out."""

from scheduler.accounts.policy import Account
from scheduler.settings.server_file import RunningServer

RULE = "─" * 72


def ready(web: str, admin: Account | None, wished_port: int, port: int) -> str:
    """The console's address and, at the first start, the administrator's password.

    `web` is the address, `wished_port` the configured port, `port` the actual one.
    """
    lines = [f"Beatdesk is running: {web}"]
    if port != wished_port:
        lines.append(f"(port {wished_port} is taken, so it is {port})")
    if admin is not None:
        lines += [
            "",
            f"  log in as   {admin.email}",
            f"  password    {admin.password}",
            "",
            "The password is shown only now. Another one: beatdesk users reset-password "
            f"{admin.email}",
        ]
    lines.append("Ctrl-C stops it when the running jobs have finished; all data stays.")
    return "\n".join(["", RULE, *lines, RULE, ""])


def runs_already(server: RunningServer) -> str:
    """Reason against a second `up` in one folder."""
    place = f" at {server.web}" if server.web else ""
    return (
        f"it runs already in this folder{place} (process {server.pid}); stop it with Ctrl-C or: "
        f"kill {server.pid}"
    )


def address(host: str, port: int, prefix: str | None = None) -> str:
    """The console's address for a browser on this machine."""
    in_brackets = f"[{host}]" if ":" in host else host
    reachable = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, in_brackets)  # noqa: S104
    return f"http://{reachable}:{port}{prefix or ''}"
