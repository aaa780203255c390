"""`beatdesk`, also `python -m scheduler`: runs a command; `cli.refusals` prints refusals."""

from scheduler.cli import cli


def main() -> None:
    """Run the command line."""
    cli(prog_name="beatdesk")


if __name__ == "__main__":
    main()
