"""The zygote of workers, recorders and Beats: the words are those of a command of Celery's, or
`recorder NAME` for Beatdesk's recorder.
"""

from tests.support.zygote import serve


def main() -> None:
    """Import what all need, then start processes."""
    import celery.apps.beat
    import celery.apps.worker
    import celery.concurrency.prefork  # noqa: F401

    import scheduler.beat.scheduler
    import scheduler.cli.recorder
    import scheduler.history.recording.recorder  # noqa: F401
    from scheduler.celery import app

    app.loader.import_default_modules()
    serve(_run)


def _run(words: list[str]) -> None:
    if words[0] == "recorder":
        from scheduler.cli import cli

        cli(["recorder", "--name", words[1]])
    else:
        from scheduler.celery import app

        app.start(words)


if __name__ == "__main__":
    main()
