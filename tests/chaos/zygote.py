"""The zygote of Beats: each is what `celery -A scheduler beat -S SCHEDULER` is, without its second
of imports. The only word is the class of the scheduler.
"""

from tests.support.zygote import serve


def main() -> None:
    """Import what a Beat would import, then start Beats."""
    import celery.apps.beat  # noqa: F401
    import redbeat.schedulers  # noqa: F401

    import scheduler.beat.scheduler
    import scheduler.celery  # noqa: F401

    serve(_run)


def _run(words: list[str]) -> None:
    from scheduler.celery import app

    (scheduler_class,) = words
    app.Beat(scheduler_cls=scheduler_class, loglevel="WARNING", no_color=True).run()


if __name__ == "__main__":
    main()
