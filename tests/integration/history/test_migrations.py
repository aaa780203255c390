"""The tables that the migrations build are the tables that the models describe."""

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from scheduler.history import schema_version
from scheduler.history.engine import create_engine
from scheduler.history.models import Base

UPGRADE = """
import sys
from scheduler.history.engine import create_engine
from scheduler.history.schema_version import is_current, upgrade
engine = create_engine(sys.argv[1])
sys.stdin.readline()
upgrade(engine)
assert is_current(engine)
"""


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def test_an_empty_database_is_not_current_and_an_upgrade_makes_it_so(database_url: str) -> None:
    engine = create_engine(database_url)
    assert not schema_version.is_current(engine)
    schema_version.upgrade(engine)
    assert schema_version.is_current(engine)
    assert tables(engine) == set(Base.metadata.tables)


def test_autogenerate_finds_nothing_to_do(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_every_step_can_be_taken_back_and_taken_again(engine: Engine) -> None:
    schema_version.downgrade(engine, "base")
    assert tables(engine) == set()
    assert schema_version.current(engine) is None
    schema_version.upgrade(engine)
    assert schema_version.is_current(engine)


def test_an_upgrade_of_a_current_database_changes_nothing(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO roles (name) VALUES ('viewer')"))
    schema_version.upgrade(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT name FROM roles")).scalars().all() == ["viewer"]


def test_a_database_of_a_newer_version_is_refused_and_left_alone(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert not schema_version.is_current(engine)
    with pytest.raises(schema_version.SchemaFromTheFuture, match="9999"):
        schema_version.upgrade(engine)
    assert tables(engine) == set(Base.metadata.tables)


def test_four_processes_may_upgrade_at_once_from_any_folder(
    database_url: str, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", UPGRADE, database_url],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=elsewhere,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0, 0], said
    assert tables(create_engine(database_url)) == set(Base.metadata.tables)


def test_the_alembic_command_finds_the_steps_from_pyproject(sqlite_url: str) -> None:
    root = Path(__file__).parents[3]
    command = [sys.executable, "-m", "alembic", "-x", f"url={sqlite_url}"]
    subprocess.run([*command, "upgrade", "head"], cwd=root, check=True, capture_output=True)
    said = subprocess.run(
        [*command, "check"], cwd=root, check=True, capture_output=True, text=True
    ).stdout
    assert "No new upgrade operations" in said
    assert schema_version.is_current(create_engine(sqlite_url))
