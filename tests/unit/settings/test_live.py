"""Where settings come from, and every fault named at once."""

import json
import os
import stat
from pathlib import Path

import pytest

from scheduler.settings import environment, server_file
from scheduler.settings.environment import load
from scheduler.settings.errors import BadSettings, masked, without_password
from scheduler.settings.schema import Settings
from scheduler.settings.server_file import RunningServer

KEY = "a-key-that-is-long-enough-for-production"


def faults_of(environ: dict[str, str], folder: Path) -> str:
    with pytest.raises(BadSettings) as refusal:
        load(environ, folder)
    return str(refusal.value)


def test_an_empty_environment_gives_the_defaults_and_a_kept_secret_key(tmp_path: Path) -> None:
    first = load({}, tmp_path)
    assert first.environment == "development"
    assert first.data_dir == tmp_path / "data"
    assert first.secret_key
    assert len(first.secret_key) >= 32
    assert stat.S_IMODE((tmp_path / "data/secret_key").stat().st_mode) == 0o600
    assert load({}, tmp_path) == first


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        (
            "WEB_PRT",
            "1",
            "BEATDESK_WEB_PRT: there is no such setting (environment). Did you mean "
            "BEATDESK_WEB_PORT?",
        ),
        (
            "redis_url",
            "redis://x",
            "BEATDESK_redis_url: there is no such setting (environment). Did you mean BEATDESK_",
        ),
        (
            "WEB_PORT",
            "eighty",
            "BEATDESK_WEB_PORT='eighty' (environment): input should be a valid integer",
        ),
        (
            "WEB_PORT",
            "70000",
            "BEATDESK_WEB_PORT='70000' (environment): input should be less than or equal to 65535",
        ),
        (
            "ENVIRONMENT",
            "prod",
            "BEATDESK_ENVIRONMENT='prod' (environment): input should be 'development' or",
        ),
        (
            "DEFAULT_TIMEZONE",
            "Europe/Berln",
            "there is no such time zone. Use an IANA name such as Europe/Berlin",
        ),
        ("DEFAULT_TIMEZONE", "../etc/passwd", "there is no such time zone"),
        ("JOBS", "shop.jobs,no good", "'no good' is not the name of a module"),
        (
            "REDIS_URL",
            "http://host",
            "BEATDESK_REDIS_URL='http://host' (environment): the address must start with one",
        ),
        (
            "REDIS_URL",
            "http://:hush@host",
            "BEATDESK_REDIS_URL='http://:***@host' (environment): the address must",
        ),
        (
            "DATABASE_URL",
            "mysql://u:hush@h/d",
            "BEATDESK_DATABASE_URL='mysql://u:***@h/d' (environment): the address",
        ),
        (
            "SECRET_KEY_FILE",
            "/nowhere",
            "BEATDESK_SECRET_KEY_FILE='/nowhere' (environment): the file cannot be read: No",
        ),
        (
            "BEAT_LOCK_TIMEOUT",
            "1",
            "input should be greater than or equal to 3. It means: seconds until a stand-by",
        ),
        ("LOG_LEVEL", "loud", "input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        (
            "DATA_DIR",
            "/dev/null/x",
            "the folder cannot be made: Not a directory. Name a folder that this user may",
        ),
    ],
)
def test_a_fault_names_the_setting_the_value_and_the_remedy(
    tmp_path: Path, name: str, value: str, wanted: str
) -> None:
    message = faults_of({f"BEATDESK_{name}": value}, tmp_path)
    assert wanted in message
    assert "hush" not in message


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("BEATDESK_NO_SUCH=1\n")
    environ = {
        "BEATDESK_WEB_PORT": "eighty",
        "BEATDESK_LOG_FORMAT": "xml",
        "BEATDESK_JBOS": "x",
        "BEATDESK_DEFAULT_TIMEZONE": "Nowhere",
        "BEATDESK_SECRET_KEY_FILE": "/nowhere",
    }
    message = faults_of(environ, tmp_path)
    for name in (*environ, "BEATDESK_NO_SUCH"):
        assert f"  {name}" in message
    assert len(message.splitlines()) == 1 + 6


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, "BEATDESK_SECRET_KEY: production needs a secret key"),
        ({"BEATDESK_SECRET_KEY": ""}, "BEATDESK_SECRET_KEY: production needs a secret key"),
        (
            {"BEATDESK_SECRET_KEY": "hush"},
            "BEATDESK_SECRET_KEY='***' (environment): it has 4 characters, production needs",
        ),
    ],
)
def test_production_refuses_a_missing_or_short_secret_key(
    tmp_path: Path, environ: dict[str, str], wanted: str
) -> None:
    message = faults_of({"BEATDESK_ENVIRONMENT": "production", **environ}, tmp_path)
    assert wanted in message
    assert "hush" not in message
    assert not (tmp_path / "data/secret_key").exists()


def test_production_starts_with_a_long_key(tmp_path: Path) -> None:
    assert (
        load(
            {"BEATDESK_ENVIRONMENT": "production", "BEATDESK_SECRET_KEY": KEY}, tmp_path
        ).secret_key
        == KEY
    )


def test_each_source_gives_way_to_the_stronger_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "SECRETS_DIR", tmp_path / "run-secrets")
    data = tmp_path / "data"
    data.mkdir()
    lock = server_file.take_lock(data)
    assert lock is not None
    try:
        assert load({}, tmp_path).redis_url == "redis://127.0.0.1:6379/0"
        server_file.write(
            data, RunningServer(pid=os.getpid(), settings={"redis_url": "redis://server/0"})
        )
        assert load({}, tmp_path).redis_url == "redis://server/0"
        assert load({}, tmp_path, running_server=False).redis_url == "redis://127.0.0.1:6379/0"
        (tmp_path / ".env").write_text(
            '# ours\nexport BEATDESK_REDIS_URL="redis://dotenv/0"\nOTHER=1\n'
        )
        assert load({}, tmp_path).redis_url == "redis://dotenv/0"
        (tmp_path / "run-secrets").mkdir()
        (tmp_path / "run-secrets/beatdesk_redis_url").write_text("redis://mounted/0\n")
        assert load({}, tmp_path).redis_url == "redis://mounted/0"
        (tmp_path / "named").write_text("redis://named/0\n")
        by_file = {"BEATDESK_REDIS_URL_FILE": "named"}
        assert load(by_file, tmp_path).redis_url == "redis://named/0"
        assert (
            load({**by_file, "BEATDESK_REDIS_URL": "redis://said/0"}, tmp_path).redis_url
            == "redis://said/0"
        )
    finally:
        os.close(lock)


def test_the_address_of_a_server_that_has_died_is_not_used(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    lock = server_file.take_lock(data)
    assert lock is not None
    server_file.write(
        data, RunningServer(pid=os.getpid(), settings={"redis_url": "redis://server/0"})
    )
    os.close(lock)
    assert load({}, tmp_path).redis_url == "redis://127.0.0.1:6379/0"


def test_a_broken_address_file_is_as_none(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    lock = server_file.take_lock(data)
    assert lock is not None
    (data / "server.json").write_text(json.dumps({"pid": "none"}))
    assert load({}, tmp_path).redis_url == "redis://127.0.0.1:6379/0"
    os.close(lock)


def test_only_one_holds_the_lock_of_a_folder(tmp_path: Path) -> None:
    lock = server_file.take_lock(tmp_path)
    assert lock is not None
    assert server_file.is_locked(tmp_path)
    assert server_file.take_lock(tmp_path) is None
    os.close(lock)
    assert not server_file.is_locked(tmp_path)


def test_the_address_file_is_for_its_owner_only(tmp_path: Path) -> None:
    server_file.write(tmp_path, RunningServer(pid=1, settings={"redis_url": "redis://:hush@host"}))
    assert stat.S_IMODE((tmp_path / "server.json").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["server.json"]


def test_jobs_are_a_list_with_commas(tmp_path: Path) -> None:
    assert load({"BEATDESK_JOBS": " shop.jobs, billing.jobs ,"}, tmp_path).jobs == (
        "shop.jobs",
        "billing.jobs",
    )


def test_names_without_our_prefix_are_nobodys_business(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("REDIS_URL=x\nPASSWORD\n")
    assert (
        load({"BEATDESKX": "1", "REDIS_URL": "x"}, tmp_path).redis_url == "redis://127.0.0.1:6379/0"
    )


def test_a_dotenv_that_is_no_text_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"BEATDESK_JOBS=\xff\xfe\n")
    assert "it cannot be read: it is not text in UTF-8. Mend or remove it" in faults_of(
        {}, tmp_path
    )


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("redis://:hush@host:1/0", "redis://:***@host:1/0"),
        ("postgresql://me:hu@sh@host/d", "postgresql://me:***@host/d"),
        ("postgresql://me@host/d", "postgresql://me@host/d"),
        ("postgresql://me@host/d?password=hush&a=1", "postgresql://me@host/d?password=***&a=1"),
        ("sqlite:////tmp/x", "sqlite:////tmp/x"),
        ("no address", "no address"),
    ],
)
def test_an_address_is_shown_without_its_password(address: str, shown: str) -> None:
    assert without_password(address) == shown


def test_a_secret_is_never_shown_and_other_values_are() -> None:
    assert masked("BEATDESK_SECRET_KEY", "hush") == "'***'"
    assert masked("BEATDESK_SECRET_KEY_FILE", "/run/x") == "'/run/x'"
    assert masked("BEATDESK_WEB_PORT", "80") == "'80'"


def test_lists_are_read_with_commas_between(tmp_path: Path) -> None:
    settings = load(
        {"BEATDESK_FILE_ROOTS": "/srv/a, /srv/b,", "BEATDESK_CLEANUP_REDIS_KEYS": "page:* 2h"},
        tmp_path,
    )
    assert settings.file_roots == (Path("/srv/a"), Path("/srv/b"))
    assert settings.cleanup_redis_keys == ("page:* 2h",)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("FILE_ROOTS", "/srv/a,relative", "'relative' is not the absolute path of a folder"),
        ("FILE_ROOTS", "/", "'/' is not the absolute path of a folder below /"),
        ("FILE_ROOTS", "/srv/../etc", "without '..'"),
        ("CLEANUP_SQL_ROWS", "sessions 30d", "'sessions' is not TABLE.COLUMN"),
        ("CLEANUP_SQL_ROWS", "a.b;drop 30d", "is not TABLE.COLUMN"),
        ("CLEANUP_SQL_ROWS", "a.b", "'a.b' is not TABLE.COLUMN AGE"),
        ("CLEANUP_SQL_ROWS", "a.b 0d", "'0d' is not an age"),
        ("CLEANUP_REDIS_KEYS", "* 1d", "must begin with 3 or more plain characters"),
        ("CLEANUP_REDIS_KEYS", "bea* 1d", "may match 'beatdesk:'"),
        ("CLEANUP_REDIS_KEYS", "redbeat:x* 1d", "may match 'redbeat:'"),
        ("CLEANUP_REDIS_KEYS", "celery-task-meta-* 1d", "may match 'celery'"),
        (
            "REPORT_DSN",
            "mysql://u:hush@h/d",
            "the address must start with one of sqlite, postgresql, postgres",
        ),
    ],
)
def test_a_permission_that_cannot_be_used_is_a_fault(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    said = faults_of({f"BEATDESK_{name}": text}, tmp_path)
    assert words in said
    assert "hush" not in said


def test_production_wants_a_login_of_its_own_for_reports(tmp_path: Path) -> None:
    address = "postgresql://desk:hush@host/desk"
    given = {
        "BEATDESK_ENVIRONMENT": "production",
        "BEATDESK_SECRET_KEY": KEY,
        "BEATDESK_DATABASE_URL": address,
    }
    said = faults_of({**given, "BEATDESK_REPORT_DSN": address}, tmp_path)
    assert "BEATDESK_REPORT_DSN='postgresql://desk:***@host/desk'" in said
    assert "whose login may write" in said
    assert load(
        {**given, "BEATDESK_REPORT_DSN": "postgresql://reader@host/desk"}, tmp_path
    ).report_dsn


def test_the_settings_never_print_the_addresses_of_jobs() -> None:
    shown = repr(
        Settings(report_dsn="postgresql://a:hush@h/d", cleanup_dsn="postgresql://b:hush@h/d")
    )
    assert "hush" not in shown


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("TRUSTED_PROXIES", "10.0.0.5,0.0.0.0/0", "everybody could forge an address"),
        ("TRUSTED_PROXIES", "proxy.example", "is no address and no network"),
        ("ALLOWED_HOSTS", "https://desk.example.org/", "without scheme, port and path"),
        ("ALLOWED_HOSTS", "*", "is no host name"),
    ],
)
def test_a_name_of_a_proxy_or_host_that_cannot_be_used_is_a_fault(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    assert words in faults_of({f"BEATDESK_{name}": text}, tmp_path)


def test_production_serves_the_tutorial_with_a_token_only(tmp_path: Path) -> None:
    given = {
        "BEATDESK_ENVIRONMENT": "production",
        "BEATDESK_SECRET_KEY": KEY,
        "BEATDESK_STARTER_ENDPOINTS": "true",
    }
    assert "BEATDESK_STARTER_TOKEN" in faults_of(given, tmp_path)
    short = faults_of({**given, "BEATDESK_STARTER_TOKEN": "hush-hush"}, tmp_path)
    assert "BEATDESK_STARTER_TOKEN='***'" in short
    assert load({**given, "BEATDESK_STARTER_TOKEN": "t" * 20}, tmp_path).starter_token
