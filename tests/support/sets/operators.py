"""A schedule that an operator adds by command, and the operator's name in the audit."""

import getpass

NIGHTLY = (
    "schedules",
    "add",
    "nightly",
    "demo.greet",
    "--cron",
    "0 6 * * mon-fri",
    "--kwargs",
    '{"whom": "Ada"}',
)
ACTOR = f"cli:{getpass.getuser()}"
