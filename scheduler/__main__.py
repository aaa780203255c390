"""`beatdesk`, also `python -m scheduler`: runs a command; what it refuses is told by `commands.refusals`."""

from scheduler.commands import cli


def main() -> None:
    """Run the command line."""
    cli(prog_name="beatdesk")


if __name__ == "__main__":
    main()
