"""The settings: types, limits, defaults and descriptions. Pure; `environment` reads the values.

The table of `docs/reference/settings.md` is made from this class; a test fails for a stale table.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from scheduler.settings.secret_uses import SecretUse, secret_use


class Settings(BaseModel):
    """Every setting, by its name without the prefix `BEATDESK_`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    environment: Literal["development", "production"] = Field(
        "development", description="`production` refuses to start on unsafe settings"
    )
    data_dir: Path = Field(
        Path("data"), description="folder for the embedded server, SQLite and reports"
    )
    redis_url: str = Field(
        "redis://127.0.0.1:6379/0", description="Redis or Valkey that holds schedules and events"
    )
    redis_master: str = Field(
        "mymaster",
        min_length=1,
        description="name of the primary that Redis Sentinel watches, for `sentinel://` addresses",
    )
    broker_url: str | None = Field(None, description="Celery's broker; default: `REDIS_URL`")
    rabbitmq_priorities: bool = Field(
        False,
        description="`true`: RabbitMQ's queues are made with priorities; those made without must "
        "be deleted first",
    )
    claiming_transport: bool = Field(
        True,
        description="`false`: workers take messages from Redis as kombu does, so that one that is "
        "killed while it takes a message loses it; to rule out the claiming transport as the cause "
        "of a fault",
    )
    most_deliveries: Annotated[int, Field(ge=1, le=1000)] = Field(
        5,
        description="deliveries of a message that end their worker, after which the run is given "
        "up as failed",
    )
    result_backend: str | None = Field(
        None,
        description="Celery's result back end; default none, since the history has the results",
    )
    database_url: str | None = Field(
        None, description="SQLAlchemy address of the history; default: SQLite in `DATA_DIR`"
    )
    secret_key: str | None = Field(
        None, description="signs sessions; 32 random characters or more in production"
    )
    jobs: tuple[str, ...] = Field(
        (), description="comma-separated modules of jobs to import beside Beatdesk's own"
    )
    default_timezone: str = Field("UTC", description="IANA zone of new crontab schedules")
    beat_scheduler: str = Field(
        "scheduler.beat.Scheduler",
        description="Beat's scheduler class; `redbeat.RedBeatScheduler` works too",
    )
    beat_lock_timeout: Annotated[int, Field(ge=3)] = Field(
        10, description="seconds until a stand-by takes over from a dead Beat"
    )
    beat_fast_path: bool = Field(
        True,
        description="`false`: Beat plans every run by all rules, and lets Celery make every "
        "message; slower, to rule out the fast path as the cause of a fault",
    )
    worker_concurrency: Annotated[int, Field(ge=1)] = Field(
        2, description="processes of the worker that `beatdesk up` starts"
    )
    web_host: str = Field(
        "127.0.0.1", description="address on which `beatdesk up` serves the console"
    )
    web_port: Annotated[int, Field(ge=1, le=65535)] = Field(
        8000, description="port of the console; another is chosen where it is taken"
    )
    trusted_proxies: tuple[str, ...] = Field(
        (),
        description="comma-separated addresses or networks of reverse proxies (`unix`: of a Unix "
        "socket), whose `X-Forwarded-*` headers are believed; default: none",
    )
    allowed_hosts: tuple[str, ...] = Field(
        (),
        description="comma-separated host names under which the console is served, `.example.org` "
        "for all below; needed in production; development also serves loopback names",
    )
    path_prefix: str | None = Field(
        None,
        max_length=200,
        pattern=r"^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$",
        description="path below which a reverse proxy serves the console, such as `/beatdesk`",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="least level that is logged"
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="`json` writes one object a line"
    )
    event_body_limit: Annotated[int, Field(ge=256)] = Field(
        16_384,
        description="bytes of arguments, result or traceback that an event carries; the rest is "
        "cut with a mark",
    )
    stream_limit: Annotated[int, Field(ge=1000)] = Field(
        1_000_000, description="events that may wait in the stream before the console turns red"
    )
    recorder_batch: Annotated[int, Field(ge=1, le=10_000)] = Field(
        1000, description="events that the recorder folds in one SQL transaction"
    )
    history_keep: tuple[str, ...] = Field(
        (),
        description="comma-separated `STATE AGE` or `SCHEDULE:STATE AGE` (`all`: every state): "
        "runs that ended so are deleted by the recorder from this age on; default: none",
    )
    history_export: Path | None = Field(
        None,
        description="folder to which runs are written before `HISTORY_KEEP` deletes them, as JSON "
        "lines, compressed",
    )
    facts_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        30, description="days for which outages, and facts that explain ticks, are stored"
    )
    healing: bool = Field(
        True,
        description="`false`: schedules lost by Redis come back only by `beatdesk "
        "schedules rebuild`",
    )
    file_roots: tuple[Path, ...] = Field(
        (),
        description="comma-separated folders, outside of which no job reads, changes or deletes "
        "files",
    )
    report_dsn: str | None = Field(
        None,
        repr=False,
        description="database that `reports.sql_query` asks, with a login of its own that can "
        "only read",
    )
    report_max_rows: Annotated[int, Field(ge=1)] = Field(
        1_000_000, description="rows of one SQL report at most; beyond it the run fails"
    )
    report_max_megabytes: Annotated[int, Field(ge=1)] = Field(
        500, description="megabytes of one SQL report at most, as they come from the database"
    )
    report_max_seconds: Annotated[int, Field(ge=1)] = Field(
        900, description="seconds for one SQL report, from the connection to the finished file"
    )
    cleanup_dsn: str | None = Field(
        None, repr=False, description="database in which `cleanup.sql_rows` deletes"
    )
    cleanup_sql_rows: tuple[str, ...] = Field(
        (),
        description="comma-separated `TABLE.COLUMN AGE`: rows that `cleanup.sql_rows` may delete "
        "from this age on",
    )
    cleanup_redis_keys: tuple[str, ...] = Field(
        (),
        description="comma-separated `PATTERN AGE`: keys that `cleanup.redis_keys` may delete "
        "when idle for so long",
    )

    secret_uses: tuple[str, ...] = Field(
        (),
        description="comma-separated `NAME JOB:PARAMETER@HOST` (parameter and host may be left "
        "out): the uses of a secret. A secret without an entry is for jobs of your own",
    )
    dataset_memory_megabytes: Annotated[int, Field(ge=64)] = Field(
        512,
        description="megabytes of memory that one `datasets.profile` works with; beyond it the "
        "disk is used",
    )
    dataset_max_megabytes: Annotated[int, Field(ge=1)] = Field(
        10_000,
        description="megabytes of files that one dataset may have, and of disk in `DATA_DIR` for "
        "its profile",
    )

    run_log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "OFF"] = Field(
        "INFO",
        description="least level of what jobs log that is kept with their runs; `OFF` keeps none",
    )
    run_log_lines: Annotated[int, Field(ge=2, le=100_000)] = Field(
        4_000, description="log lines kept of one attempt: the first half of them, and the last"
    )
    run_log_line_limit: Annotated[int, Field(ge=80)] = Field(
        2_000, description="bytes of a log line that are kept; the rest is cut with a mark"
    )
    secrets_dir: Path | None = Field(
        None, description="folder of files, one for each secret that jobs name as `secret://NAME`"
    )
    flask_app: str | None = Field(
        None,
        pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$",
        description="`module:name` of a Flask application or of its factory, for the context "
        "of your jobs",
    )
    flask_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$",
        description="address of that application for `url_for`; default: its own `SERVER_NAME`",
    )
    http_allow: tuple[str, ...] = Field(
        (),
        description="comma-separated `HOST:PORT` or networks inside, to which `http.request` may "
        "go",
    )
    smtp_url: str | None = Field(
        None,
        repr=False,
        description="server for mails: `smtp+starttls://`, `smtps://` or `smtp://`, with user and "
        "password",
    )
    mail_from: str = Field("Beatdesk <beatdesk@localhost>", description="sender of mails")
    mail_templates: Path | None = Field(
        None, description="folder of templates for mails, beside the built-in ones"
    )
    mail_retry_seconds: Annotated[float, Field(gt=0, le=3600)] = Field(
        60, description="seconds until a mail is tried again; twice as long each time, three times"
    )
    starter_endpoints: bool = Field(
        False,
        description="`true` serves `/start-task`, `/task-status` and `/signup` outside of "
        "development too",
    )
    starter_token: str | None = Field(
        None,
        min_length=20,
        repr=False,
        description="token that these endpoints ask for, in the header `X-Starter-Token`; needed "
        "in production",
    )

    local_login: bool = Field(
        True, description="`false`: the console takes no passwords, only single sign-on or a proxy"
    )
    oidc_issuer: str | None = Field(
        None,
        pattern=r"^(https://|http://(127\.0\.0\.1|localhost|\[::1\])[:/])[^\s?#@]+$",
        description="address of an OpenID Connect provider (Keycloak, Entra, Google, Okta) for "
        "single sign-on",
    )
    oidc_client_id: str | None = Field(None, description="the console's name at that provider")
    oidc_client_secret: str | None = Field(
        None, repr=False, description="the console's secret at that provider"
    )
    oidc_name: str = Field(
        "single sign-on", max_length=40, description="what the button of the login calls it"
    )
    oidc_scopes: str = Field(
        "openid email profile",
        pattern=r"^openid( [\x21-\x7e]+)*$",
        description="scopes asked for, with spaces between",
    )
    oidc_groups_claim: str = Field(
        "groups", description="claim of the ID token that lists a person's groups"
    )
    oidc_trust_email: bool = Field(
        False,
        description="`true`: addresses are believed without the claim `email_verified`; only for "
        "a provider whose people cannot choose their address",
    )
    proxy_login_from: tuple[str, ...] = Field(
        (),
        description="comma-separated addresses or networks of proxies that log people in by a "
        "header; default: none",
    )
    proxy_login_header: str = Field(
        "X-Forwarded-Email",
        pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$",
        description="header in which such a proxy names the person's address",
    )
    proxy_groups_header: str = Field(
        "X-Forwarded-Groups",
        pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$",
        description="header in which such a proxy lists the person's groups, with commas between",
    )
    group_roles: tuple[str, ...] = Field(
        (),
        description="comma-separated `GROUP=ROLE`: roles of people from outside, by their groups; "
        "default: the role of the account",
    )
    provision: bool = Field(
        False,
        description="`true`: people from outside get an account at their first login; by default "
        "an administrator invites them",
    )

    @property
    def broker(self) -> str:
        """Celery's broker address."""
        return self.broker_url or self.redis_url

    @property
    def broker_has_leases(self) -> bool:
        """Whether the broker is the Redis of the schedules, which has the leases of runs too."""
        return self.broker == self.redis_url

    @property
    def database(self) -> str:
        """SQLAlchemy's address of the history; `postgres(ql)://` gets the driver psycopg."""
        if self.database_url is None:
            return f"sqlite:///{self.data_dir.resolve() / 'history.sqlite3'}"
        scheme, mark, rest = self.database_url.partition("://")
        return (
            f"postgresql+psycopg{mark}{rest}"
            if scheme in ("postgres", "postgresql")
            else self.database_url
        )

    @property
    def permitted_secret_uses(self) -> tuple[SecretUse, ...]:
        """The entries of `secret_uses`."""
        return tuple(map(secret_use, self.secret_uses))

    @property
    def reports_dir(self) -> Path:
        """The folder of report files."""
        return self.data_dir.resolve() / "reports"
