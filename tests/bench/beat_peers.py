"""django-celery-beat and APScheduler as contenders, and all contenders by key."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.bench.beat_contenders import HOUR, QUEUE, TASK, Contender, Ours, Plan, Stock, StockOnOurs

RUNNING = 1
"""APScheduler's constant for a running scheduler."""


class Django(Contender):
    """django-celery-beat's DatabaseScheduler, with tables in SQLite."""

    key, title, needs = "django", "django-celery-beat", ("django-celery-beat", "Django")

    def app(self) -> Any:
        """Return a Celery app within a Django project for django-celery-beat alone."""
        import django
        from celery import Celery
        from django.conf import settings
        from django.core.management import call_command

        if not settings.configured:
            quick = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
            database = {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(self.folder / "django.sqlite3"),
            }
            settings.configure(
                DATABASES={
                    "default": database | {"OPTIONS": {"timeout": 30, "init_command": quick}}
                },
                INSTALLED_APPS=["django_celery_beat"],
                USE_TZ=True,
                TIME_ZONE="UTC",
                DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
            )
            django.setup()
            call_command("migrate", verbosity=0)
        app = Celery("bench", broker=self.url)
        app.conf.update(timezone="UTC", beat_max_loop_interval=1)
        return app

    def fill(self, plans: Sequence[Plan]) -> None:
        self.app()
        from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks

        every = {plan.every for plan in plans}
        rules = {
            one: IntervalSchedule.objects.get_or_create(
                every=int(one), period=IntervalSchedule.SECONDS
            )[0]
            for one in every
        }
        tasks = [
            PeriodicTask(
                name=plan.name,
                task=TASK,
                interval=rules[plan.every],
                args=json.dumps([plan.number]),
                queue=QUEUE,
                enabled=plan.enabled,
                last_run_at=plan.before,
            )
            for plan in plans
        ]
        PeriodicTask.objects.bulk_create(tasks, batch_size=500)
        PeriodicTasks.update_changed()

    def edit(self, number: int) -> None:
        self.app()
        from django_celery_beat.models import IntervalSchedule, PeriodicTask

        rule, _ = IntervalSchedule.objects.get_or_create(
            every=int(HOUR), period=IntervalSchedule.SECONDS
        )
        past = datetime.now(UTC) - timedelta(seconds=HOUR + 60)  # noqa: TID251 - a root
        args = json.dumps([number])
        PeriodicTask(
            name=f"edit-{number}",
            task=TASK,
            interval=rule,
            args=args,
            queue=QUEUE,
            last_run_at=past,
        ).save()

    def begin(self, longest_sleep: float) -> None:
        app = self.app()
        from django_celery_beat.schedulers import DatabaseScheduler

        self.scheduler = DatabaseScheduler(app=app, max_interval=longest_sleep)

    def rearm(self, plans: Sequence[Plan]) -> None:
        before = {plan.name: plan.before for plan in plans}
        for entry in self.scheduler.schedule.values():
            if entry.name in before:
                entry.last_run_at = entry.model.last_run_at = before[entry.name]
        self.scheduler._heap = None

    def end(self) -> None:
        self.scheduler.close()


class APScheduler(Contender):
    """APScheduler 3 with the Redis job store; jobs send by Celery, from a pool of ten threads."""

    key, title, needs = "apscheduler", "APScheduler 3", ("APScheduler",)

    def _made(self) -> Any:
        from apscheduler.jobstores.redis import RedisJobStore
        from apscheduler.schedulers.background import BackgroundScheduler

        options = self.redis.connection_pool.connection_kwargs
        stores = {
            "default": RedisJobStore(
                **{name: options[name] for name in ("host", "port", "password", "db")}
            )
        }
        defaults = {"misfire_grace_time": None, "coalesce": True, "max_instances": 100}
        made = BackgroundScheduler(jobstores=stores, job_defaults=defaults, timezone="UTC")
        made.start(paused=True)
        return made

    def fill(self, plans: Sequence[Plan]) -> None:
        made = self._made()
        for plan in plans:
            args = [self.url, plan.number]
            more = {"id": plan.name, "next_run_time": plan.due if plan.enabled else None}
            made.add_job(
                _send, "interval", seconds=plan.every, start_date=plan.before, args=args, **more
            )
        # No shutdown: a shutdown would fire due jobs. The scheduler's thread ends with the process.

    def begin(self, longest_sleep: float) -> None:
        self.scheduler = self._made()
        _sender(self.url)
        self.scheduler.state = RUNNING  # but the bench calls the turns

    def turn(self) -> float:
        wait = self.scheduler._process_jobs()
        return 1.0 if wait is None else float(wait)

    def rearm(self, plans: Sequence[Plan]) -> None:
        self.scheduler.pause()
        for plan in plans:
            self.scheduler.modify_job(plan.name, next_run_time=plan.due)
        self.scheduler.state = RUNNING

    def end(self) -> None:
        self.scheduler.shutdown(wait=True)


CONTENDERS: dict[str, type[Contender]] = {
    one.key: one for one in (Ours, Stock, StockOnOurs, Django, APScheduler)
}

_apps: dict[str, Any] = {}


def _sender(url: str) -> Any:
    from celery import Celery

    if url not in _apps:
        _apps[url] = Celery("bench", broker=url)
    return _apps[url]


def _send(url: str, number: int) -> None:
    """The job of APScheduler: send a message."""
    _sender(url).send_task(TASK, [number], queue=QUEUE)
