"""`schedules import postgresql://…`: django-celery-beat's tables, on both databases."""

import sqlite3
from datetime import UTC, datetime

import pytest
import sqlalchemy

from scheduler.rules.model.spec import CrontabWhen, OnceWhen, Window
from tests.support.builders import at
from tests.support.sets.django_tables import add_task, make


@pytest.fixture(params=["sqlite", "postgres"])
def django(request, tmp_path):
    """A database as a Django project leaves it behind."""
    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path / 'db of django.sqlite3'}"
    else:
        address = request.getfixturevalue("postgres_url")
    engine = sqlalchemy.create_engine(address)
    make(engine)
    add_task(
        engine,
        "every five",
        interval_id=1,
        last_run_at="2026-11-21 11:58:00" + "+00" * (request.param != "sqlite"),
    )
    add_task(
        engine,
        "nightly",
        crontab_id=1,
        task="demo.greet",
        kwargs='{"whom": "Ada"}',
        queue="slow",
        priority=3,
        description="greets",
        enabled=False,
    )
    add_task(engine, "once", clocked_id=1, one_off=True)
    add_task(engine, "sun", solar_id=1)
    add_task(engine, "unknown", interval_id=1, task="nobody.knows")
    add_task(engine, "headed", interval_id=1, headers='{"a": "b"}')
    yield engine
    engine.dispose()


def address_of(engine):
    return engine.url.render_as_string(hide_password=False)


def test_its_tasks_are_taken_over_with_a_report(beatdesk, django):
    result = beatdesk("schedules", "import", address_of(django))
    assert result.exit_code == 1
    assert sorted(line.split(":")[0] for line in result.stdout.splitlines()) == [
        "           called 'every-five', since a schedule cannot be called 'every five'",
        "3 created, 0 replaced, 0 unchanged, 3 refused",
        "created    every-five, from every five",
        "created    nightly",
        "created    once",
        "refused    headed",
        "refused    sun",
        "refused    unknown",
    ]
    assert "it is solar (sunrise at 52.5" in result.stdout
    often, nightly, once = (
        beatdesk.services.schedules.get(name) for name in ("every-five", "nightly", "once")
    )
    assert (often.when.every, often.when.anchor) == (
        300,
        datetime(2026, 11, 21, 11, 58, tzinfo=UTC),
    )
    assert nightly.when == CrontabWhen(crontab="0 6 * * mon-fri", timezone="Europe/Berlin")
    assert (nightly.enabled, nightly.kwargs, nightly.queue, nightly.priority) == (
        False,
        {"whom": "Ada"},
        "slow",
        3,
    )
    assert once.when == OnceWhen(at=datetime(2100, 1, 1, 12, tzinfo=UTC))


def test_limits_of_a_task_are_kept(beatdesk, django):
    zone = "" if django.dialect.name == "sqlite" else "+00"
    limits = {
        "start_time": f"2090-01-01 00:00:00{zone}",
        "expires": f"2100-01-01 00:00:00{zone}",
        "expire_seconds": 60,
    }
    add_task(django, "limited", crontab_id=1, one_off=True, **limits)
    beatdesk("schedules", "import", address_of(django))
    limited = beatdesk.services.schedules.get("limited")
    assert limited.window == Window(
        starts_at=at("2090-01-01T00:00Z"), ends_at=at("2100-01-01T00:00Z"), max_runs=1
    )
    assert limited.policies.starting_deadline == 60


def test_a_second_import_changes_nothing_though_the_source_has_run_meanwhile(beatdesk, django):
    beatdesk("schedules", "import", address_of(django))
    before = beatdesk.written()
    with django.begin() as connection:
        connection.execute(
            sqlalchemy.text(
                "UPDATE django_celery_beat_periodictask SET last_run_at = '2026-11-21 12:03:00'"
            )
        )
    result = beatdesk("schedules", "import", address_of(django))
    assert result.stdout.splitlines()[-1] == "0 created, 0 replaced, 3 unchanged, 3 refused"
    assert beatdesk.written() == before


def test_what_was_edited_here_since_is_replaced_only_if_asked_for(beatdesk, django):
    beatdesk("schedules", "import", address_of(django))
    beatdesk.done("schedules", "edit", "nightly", "--owner", "grace")
    before = beatdesk.written()
    assert (
        "another owner; --replace takes this one"
        in beatdesk("schedules", "import", address_of(django)).stdout
    )
    assert beatdesk.written() == before
    beatdesk("schedules", "import", address_of(django), "--replace")
    assert beatdesk.services.schedules.get("nightly").owner == ""


def test_a_dry_run_and_the_source_stay_as_they_are(beatdesk, django):
    def rows():
        with django.connect() as connection:
            return connection.execute(
                sqlalchemy.text("SELECT * FROM django_celery_beat_periodictask")
            ).all()

    before, stored = rows(), beatdesk.written()
    result = beatdesk("schedules", "import", address_of(django), "--dry-run")
    assert "nothing was saved" in result.stdout
    assert (rows(), beatdesk.written()) == (before, stored)


def test_an_older_database_that_lacks_columns_is_read(beatdesk, django):
    with django.begin() as connection:
        for column in ("expire_seconds", "clocked_id", "priority"):
            connection.execute(
                sqlalchemy.text("DELETE FROM django_celery_beat_periodictask WHERE name = 'once'")
            )
            if django.dialect.name == "postgresql":
                connection.execute(
                    sqlalchemy.text(
                        f"ALTER TABLE django_celery_beat_periodictask DROP COLUMN {column}"
                    )
                )
    told = beatdesk("schedules", "import", address_of(django)).stdout
    assert "2 created, 0 replaced, 0 unchanged, 3 refused" in told


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("sqlite:////no/such/file.sqlite3", "there is no file"),
        ("mysql://ada:secret@host/name", "of the kind 'mysql' is not read"),
        ("postgresql://ada:secret@127.0.0.1:1/name", "cannot be read"),
        ("nonsense://", "not read"),
    ],
)
def test_a_database_that_cannot_be_read_is_refused_without_its_password(beatdesk, address, said):
    told = beatdesk.refused("schedules", "import", address)
    assert said in told
    assert "secret" not in told


def test_a_database_without_the_tables_is_refused(beatdesk, tmp_path):
    sqlite3.connect(tmp_path / "empty.sqlite3").execute("CREATE TABLE a (b)")
    assert "has no table 'django_celery_beat_periodictask'" in beatdesk.refused(
        "schedules", "import", f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    )
