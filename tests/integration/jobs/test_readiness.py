"""What doctor says of the folders and databases that jobs need."""

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg

from scheduler.clock import utc_now
from scheduler.health.status import Part
from scheduler.jobs.readiness import of_jobs
from scheduler.jobs.sql.source import libpq
from scheduler.settings.schema import Settings
from tests.support.mail_server import mail_server


def parts(folder: Path, **given: object) -> list[Part]:
    """The parts for these settings."""
    return of_jobs(Settings.model_validate({"data_dir": folder / "data", **given}), utc_now())


def test_nothing_is_said_of_what_is_not_set(tmp_path: Path) -> None:
    assert parts(tmp_path) == []


def test_folders_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "exports")
    roots = (tmp_path / "exports", tmp_path / "gone", tmp_path / "link", tmp_path)
    found = parts(tmp_path, file_roots=roots)
    assert [part.ok for part in found] == [True, False, False, False]
    assert "is not a folder" in found[1].summary
    assert "no job goes there" in found[3].summary
    assert "BEATDESK_FILE_ROOTS" in found[1].remedy


def test_the_mail_server_is_greeted_and_given_no_mail(tmp_path: Path) -> None:
    with mail_server() as server:
        (here,) = parts(tmp_path, smtp_url=f"smtp://127.0.0.1:{server.port}")
        (open_,) = parts(tmp_path, smtp_url=f"smtp+starttls://127.0.0.1:{server.port}")
    (gone,) = parts(tmp_path, smtp_url=f"smtp://ada:pass-word@127.0.0.1:{server.port}")
    assert here.ok
    assert server.begun == 0
    assert (open_.ok, open_.summary) == (False, f"127.0.0.1:{server.port} does not offer STARTTLS")
    assert not gone.ok
    assert "the connection was refused" in gone.summary
    assert "BEATDESK_SMTP_URL" in gone.remedy
    assert "pass-word" not in gone.summary


def test_databases_of_sqlite_are_looked_at(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'shop.sqlite3'}"
    given = {
        "report_dsn": address,
        "cleanup_dsn": address,
        "cleanup_sql_rows": ("a.b 1d", "a.c 1d"),
    }
    assert [part.ok for part in parts(tmp_path, **given)] == [False, False, False]
    with closing(sqlite3.connect(tmp_path / "shop.sqlite3")) as connection:
        connection.execute("CREATE TABLE a (b TEXT)")
    assert [part.ok for part in parts(tmp_path, **given)] == [True, True, False]
    assert [part.ok for part in parts(tmp_path, cleanup_sql_rows=("a.b 1d",))] == [False]


def test_a_login_for_reports_that_may_write_is_told(tmp_path: Path, postgres_url: str) -> None:
    reader = postgres_url.replace("postgres@", "reader_of_doctor@")
    with psycopg.connect(libpq(postgres_url), autocommit=True) as connection:
        connection.execute("CREATE TABLE sales (at timestamptz)")
        connection.execute("DROP ROLE IF EXISTS reader_of_doctor")
        connection.execute("CREATE ROLE reader_of_doctor LOGIN")
        connection.execute("GRANT SELECT ON sales TO reader_of_doctor")
        given = {
            "report_dsn": reader,
            "cleanup_dsn": postgres_url,
            "cleanup_sql_rows": ("sales.at 1d",),
        }
        assert [part.ok for part in parts(tmp_path, **given)] == [True, True]
        connection.execute("GRANT INSERT ON sales TO reader_of_doctor")
        (report,) = parts(tmp_path, report_dsn=reader)
        assert not report.ok
        assert "the login may write to public.sales" in report.summary
        (powers,) = parts(tmp_path, report_dsn=postgres_url)
        assert "has the rights of postgres" in powers.summary
        connection.execute("DROP OWNED BY reader_of_doctor")
        connection.execute("DROP ROLE reader_of_doctor")
