"""`users`, `db`, `status`, `doctor`: the upkeep of a desk, on real servers."""

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from scheduler.clock import utc_now
from scheduler.errors import Refused
from scheduler.health import status
from scheduler.health.doctor import refuse_eviction
from scheduler.history import identity
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.processes import Process, env_of, start_recorder
from tests.support.waiting import wait_for


def test_an_account_is_created_listed_changed_and_disabled(beatdesk):
    made = beatdesk.json("users", "create", "Ann@Example.com", "--role", "admin")
    assert made["email"] == "ann@example.com"
    assert len(made["password"]) >= 16
    beatdesk.done("users", "create", "bob@example.com")
    reset = beatdesk.json("users", "reset-password", "bob@example.com")
    assert reset["password"]
    beatdesk.done("users", "set-role", "bob@example.com", "operator")
    beatdesk.done("users", "disable", "bob@example.com")
    items = beatdesk.json("users", "list")["items"]
    assert [(item["email"], item["role"], item["active"]) for item in items] == [
        ("ann@example.com", "admin", True),
        ("bob@example.com", "operator", False),
    ]
    assert not any("password" in item for item in items)
    assert "disabled" in beatdesk.done("users", "list")
    assert beatdesk.json("users", "enable", "bob@example.com")["active"]


@pytest.mark.parametrize(
    ("words", "field", "remedy"),
    [
        (["create", "ann"], "email", "write it like"),
        (["create", "ann@example.com", "--role", "root"], "role", "viewer, operator, admin"),
        (["create", "ADMIN@example.com"], "email", "already"),
        (["set-role", "admin@example.com", "viewer"], "email", "users set-role EMAIL admin"),
        (["disable", "admin@example.com"], "email", "last administrator"),
        (["disable", "nobody@example.com"], "email", "users list"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(beatdesk, words, field, remedy):
    beatdesk.done("users", "create", "admin@example.com", "--role", "admin")
    before = beatdesk.json("users", "list")
    said = beatdesk.refused_json("users", *words)
    assert said["field"] == field
    assert remedy in said["error"]
    assert beatdesk.json("users", "list") == before


def test_a_change_ends_the_sessions_of_an_account(beatdesk, services: Services):
    def token() -> str:
        with services.engine.connect() as connection:
            return str(
                connection.exec_driver_sql("SELECT fs_uniquifier, password FROM users").one()
            )

    beatdesk.done("users", "create", "ann@example.com", "--role", "admin")
    beatdesk.done("users", "create", "bob@example.com")
    with services.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM users_roles WHERE user_id = 2")
        connection.exec_driver_sql("DELETE FROM users WHERE id = 2")
    seen = {token()}
    for change in (["set-role", "ann@example.com", "admin"], ["reset-password", "ann@example.com"]):
        beatdesk.done("users", *change)
        assert token() not in seen
        seen.add(token())


def test_the_tables_go_down_and_up_again(beatdesk):
    assert beatdesk.json("db", "current")["is_current"]
    beatdesk.done("db", "downgrade", "base")
    assert beatdesk.json("db", "current")["current"] is None
    assert "beatdesk db upgrade" in beatdesk.done("db", "current")
    assert beatdesk.json("db", "upgrade")["is_current"]
    assert beatdesk.json("db", "upgrade")["is_current"]


def test_tables_are_not_made_anew_in_the_place_of_a_history_that_was_recorded_into(
    beatdesk, services: Services
):
    lost = identity.Identity("a" * 36, 7, utc_now())
    identity.remember(services.redis, lost)
    beatdesk.done("db", "downgrade", "base")
    said = beatdesk.refused_json("db", "upgrade")
    assert said["field"] == "database_url"
    assert "beatdesk db adopt" in said["error"]
    assert beatdesk.json("db", "current")["current"] is None
    part = json.loads(beatdesk("status", "--json").stdout)["sql"]
    assert not part["ok"]
    assert "beatdesk db adopt" in part["remedy"]
    assert beatdesk.json("db", "adopt")["is_current"]
    assert beatdesk.json("db", "upgrade")["is_current"]
    assert json.loads(beatdesk("status", "--json").stdout)["sql"]["ok"]


def test_the_status_says_who_is_missing_and_how_to_start_it(beatdesk):
    result = beatdesk("status", "--json")
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert {
        name: answer[name]["ok"] for name in ("beat", "workers", "recorder", "redis", "sql")
    } == {
        "beat": False,
        "workers": True,
        "recorder": False,
        "redis": True,
        "sql": True,
    }
    assert "celery -A scheduler beat" in answer["beat"]["remedy"]
    assert "beatdesk recorder" in answer["recorder"]["remedy"]
    assert "celery -A scheduler beat" in beatdesk("status").stderr


def test_the_age_of_beats_last_tick_is_read_from_its_lock(services: Services):
    services.redis.set(keys.BEAT_LOCK, "token", px=1200)
    beat = status.beat_part(services, utc_now())
    assert beat.ok
    assert 1.7 <= beat.facts["last_tick_seconds"] <= 2.5, "the lock of 3 s has 1.2 s left"


def test_a_worker_that_fell_silent_is_not_counted(beatdesk, services: Services):
    assert status.status(services, utc_now()).workers.ok
    later = status.status(services, utc_now() + timedelta(minutes=5)).workers
    assert not later.ok
    assert "celery -A scheduler worker" in later.remedy


def test_a_recorder_that_falls_behind_is_told(services: Services):
    now = utc_now()
    services.redis.hset(keys.RECORDERS_HASH, "r", json.dumps({"at": now.isoformat(), "pid": 1}))
    assert status.recorder_part(services, now).ok
    services.redis.xadd(keys.EVENTS_STREAM, {"event": "{}"}, id="1-0")
    behind = status.recorder_part(services, now)
    assert not behind.ok
    assert "1 event waiting" in behind.summary
    assert behind.facts["lag_events"] == 1
    gone = status.recorder_part(services, now + timedelta(minutes=1))
    assert "no recorder is running" in gone.summary


def test_a_recorder_that_cannot_write_says_so_itself(services: Services):
    now = utc_now()
    said = {"at": now.isoformat(), "pid": 1, "problem": "the database is locked"}
    services.redis.hset(keys.RECORDERS_HASH, "r", json.dumps(said))
    hindered = status.recorder_part(services, now)
    assert not hindered.ok
    assert "the database is locked" in hindered.summary
    assert "no event is lost" in hindered.remedy


def test_a_redis_that_is_away_is_an_answer_and_not_an_error(beatdesk, services: Services, valkey):
    valkey.stop()
    answer = status.status(services, utc_now())
    assert not answer.redis.ok
    assert "BEATDESK_REDIS_URL" in answer.redis.remedy
    assert answer.sql.ok
    assert answer.beat.summary == "not known: Redis does not answer"


def test_junk_in_redis_is_an_answer_and_not_an_error(beatdesk, services: Services):
    services.redis.hset(keys.RECORDERS_HASH, "junk", "no json")
    services.redis.hset(keys.WORKERS_HASH, "junk", "no json")
    answer = status.status(services, utc_now())
    assert not answer.recorder.ok
    assert [worker["name"] for worker in answer.workers.facts["workers"]] == ["w1@host"]
    services.redis.delete(keys.RECORDERS_HASH)
    services.redis.set(keys.RECORDERS_HASH, "a text")
    assert not status.status(services, utc_now()).recorder.ok


def test_tables_of_another_version_are_told_with_the_remedy(beatdesk, services: Services):
    beatdesk.done("db", "downgrade", "base")
    sql = status.status(services, utc_now()).sql
    assert not sql.ok
    assert sql.remedy == "Run `beatdesk db upgrade`"


def test_the_doctor_lists_each_check_with_its_remedy(beatdesk, services: Services):
    services.redis.config_set("maxmemory", "100mb")
    services.redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        result = beatdesk("doctor", "--json")
        assert result.exit_code == 1
        checks = {check["name"]: check for check in json.loads(result.stdout)["checks"]}
        assert not checks["redis eviction"]["ok"]
        assert "noeviction" in checks["redis eviction"]["remedy"]
        assert checks["python"]["ok"]
        assert checks["redis persistence"]["ok"]
        assert "FAIL" in beatdesk("doctor").stdout

        refuse_eviction(services)
        strict = Services(services.settings.model_copy(update={"environment": "production"}))
        with pytest.raises(Refused, match="Redis evicts"):
            refuse_eviction(strict)
    finally:
        services.redis.config_set("maxmemory-policy", "noeviction")
        services.redis.config_set("maxmemory", "0")


def test_the_doctor_names_bad_settings(tmp_path: Path, settings):
    env = {**env_of(settings), "BEATDESK_WEB_PRT": "1"}
    ran = Process("beatdesk", "doctor", env=env, cwd=tmp_path)
    assert ran.wait(30) == 1
    assert "Did you mean BEATDESK_WEB_PORT?" in ran.log
    assert "docs/reference/settings.md" in ran.log


def test_bad_settings_are_refused_by_every_command(tmp_path: Path, settings):
    env = {**env_of(settings), "BEATDESK_WEB_PRT": "1", "BEATDESK_LOG_LEVEL": "loud"}
    ran = Process("beatdesk", "schedules", "list", env=env, cwd=tmp_path)
    assert ran.wait(30) == 1
    assert "BEATDESK_WEB_PRT" in ran.log
    assert "BEATDESK_LOG_LEVEL" in ran.log
    assert "Traceback" not in ran.log


def test_a_recorder_that_is_asked_to_stop_records_what_is_there_first(
    beatdesk, services: Services, settings
):
    recorder = start_recorder(settings)
    wait_for(lambda: status.status(services, utc_now()).recorder.ok, 30, "the recorder lives")
    beatdesk.done("schedules", "add", "hourly", "demo.plain", "--cron", "0 * * * *")
    os.kill(recorder.pid, 15)
    assert recorder.wait(30) == 0
    assert services.events.length() == 0
    assert [
        item["action"] for item in beatdesk.json("schedules", "revisions", "hourly")["items"]
    ] == ["created"]
