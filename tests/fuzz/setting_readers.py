"""Readers of settings: addresses, names, entries of lists."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from scheduler.celery_app import broker_address
from scheduler.errors import BeatdeskError
from scheduler.jobs.sql import source
from scheduler.settings import (
    environment,
    http_allowlist,
    job_limits,
    keeping,
    secret_uses,
    server_file,
    sign_on,
    smtp,
    validation,
    web_names,
)
from scheduler.settings.errors import BadSettings
from scheduler.settings.schema import Settings
from scheduler.storage.addresses import broker, masking, redis_address, sentinels, sql_address
from tests.fuzz.reader import Reader

FAULTS = (BeatdeskError, BadSettings, ValueError)
LONGEST_SETTING = 10_000

REDIS = "rediss://user:pass@example.org:6379/3?socket_timeout=5&ssl_cert_reqs=required"
SENTINEL = "sentinel://:p@a:26379/0;sentinel://b:26379"
AMQP = "amqps://user:pass@example.org:5671/%2Fshop"
SQL = "postgresql+psycopg://u:p@example.org:5432/d?sslmode=verify-full"


def read_every_setting(text: str) -> None:
    """Read a process's settings: all have this text, and then the text is the file `.env`."""
    if "\0" in text or "\ud800" <= max(text, default="") <= "\udfff":
        return  # no environment can hold it
    with TemporaryDirectory() as folder:
        given = {
            f"BEATDESK_{name.upper()}": text for name in Settings.model_fields if name != "data_dir"
        }
        place = {"BEATDESK_DATA_DIR": folder}
        with suppress(BadSettings):
            environment.load(given | place, Path(folder), running_server=False)
        (Path(folder) / ".env").write_bytes(text.encode())
        environment.load(place, Path(folder), running_server=False)


def read_each_setting(text: str) -> None:
    """Judge every setting with this text."""
    for name in Settings.model_fields:
        validation.unusable(name, text, "environment")


def read_server_file(text: str) -> None:
    """Read the file of a running server."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / server_file.FILE
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        server_file.read(Path(folder))


def _reader(read: Callable[[str], object], *samples: str) -> Reader:
    return Reader(read, samples, LONGEST_SETTING, FAULTS)


SETTINGS: dict[str, Reader] = {
    "scheduler.settings.environment": _reader(
        read_every_setting, "BEATDESK_WEB_PORT=8001\n# x\nBEATDESK_LOG_LEVEL='INFO'\n"
    ),
    "scheduler.settings.validation": _reader(read_each_setting, REDIS, "Europe/Berlin", "7"),
    "scheduler.settings.validation entries": _reader(validation.entries, "a, b,c"),
    "scheduler.settings.http_allowlist": _reader(
        http_allowlist.entry, "intranet:8080", "10.1.0.0/16", "[2001:db8::1]:80"
    ),
    "scheduler.settings.job_limits root": _reader(job_limits.file_root, "/srv/files"),
    "scheduler.settings.job_limits": _reader(job_limits.sql_rows, "public.visits.at 30d"),
    "scheduler.settings.job_limits keys": _reader(job_limits.redis_keys, "cache:* 7d"),
    "scheduler.settings.keeping": _reader(
        keeping.keep_rule, "nightly-report:all 365d", "succeeded 30d"
    ),
    "scheduler.settings.secret_uses": _reader(
        secret_uses.secret_use, "token http.request:headers@example.org", "dsn reports.x"
    ),
    "scheduler.settings.sign_on": _reader(sign_on.group_role, "desk-admins=admin"),
    "scheduler.settings.sign_on address": _reader(
        lambda text: sign_on.is_from(text, ["10.0.0.0/8"]), "10.1.2.3", "::ffff:10.1.2.3"
    ),
    "scheduler.settings.smtp": _reader(smtp.mail_address, "ann@example.org"),
    "scheduler.settings.smtp sender": _reader(smtp.sender, "Desk <desk@example.org>"),
    "scheduler.settings.smtp server": _reader(
        smtp.smtp_server, "smtps://u:p@mail.example.org:465", "smtp://mail.example.org"
    ),
    "scheduler.settings.web_names": _reader(web_names.network, "10.0.0.0/8", "2001:db8::/32"),
    "scheduler.settings.web_names proxy": _reader(web_names.proxy, "unix", "127.0.0.1"),
    "scheduler.settings.web_names host": _reader(
        web_names.host, "desk.example.org", ".example.org"
    ),
    "scheduler.settings.server_file": _reader(read_server_file, '{"url": "redis://x", "pid": 1}'),
    "scheduler.storage.addresses.redis_address": _reader(
        redis_address.read, REDIS, "unix:///run/redis.sock?db=1", "rediss://[::1]/0"
    ),
    "scheduler.storage.addresses.sentinels": _reader(sentinels.read, SENTINEL),
    "scheduler.storage.addresses.broker": _reader(broker.read, AMQP, REDIS, SENTINEL),
    "scheduler.storage.addresses.sql_address": _reader(sql_address.check, SQL, "sqlite:///x.db"),
    "scheduler.storage.addresses.masking": _reader(masking.without_password, REDIS, SQL, SENTINEL),
    "scheduler.celery_app.broker_address": _reader(
        lambda text: broker_address.are_same_broker(text, AMQP), AMQP, REDIS
    ),
    "scheduler.jobs.sql.source": _reader(source.sqlite_path, "sqlite:///x.db", "file:x?mode=ro"),
    "scheduler.jobs.sql.source libpq": _reader(source.libpq, SQL),
}
