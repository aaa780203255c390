"""What Beatdesk's login to PostgreSQL may do beyond its database, and whether TLS is used."""

from typing import Any, NamedTuple

from sqlalchemy import Engine, text

_POWERS = {
    "rolsuper": "SUPERUSER",
    "rolcreaterole": "CREATEROLE",
    "rolcreatedb": "CREATEDB",
    "rolreplication": "REPLICATION",
    "rolbypassrls": "BYPASSRLS",
}
"""Columns of pg_roles, and the word of ALTER ROLE."""

_VERIFYING = ("verify-ca", "verify-full")
"""Modes of libpq in which the server must show a certificate."""


class LoginFacts(NamedTuple):
    """The login, its host or the path of a socket, TLS, and powers as ALTER ROLE calls them."""

    login: str
    host: str
    uses_tls: bool
    is_verified: bool
    powers: tuple[str, ...]


def read(engine: Engine) -> LoginFacts | None:
    """Return the facts about the login; None for SQLite. Raises SQLAlchemy's errors."""
    if engine.dialect.name != "postgresql":
        return None
    columns = ", ".join(_POWERS)
    statement = text(
        f"SELECT current_user AS login, {columns} FROM pg_roles WHERE rolname = current_user"  # noqa: S608 - fixed names
    )
    with engine.connect() as connection:
        row = connection.execute(statement).mappings().one()
        driver: Any = connection.connection.driver_connection
        return LoginFacts(
            login=str(row["login"]),
            host=str(driver.info.host),
            uses_tls=bool(driver.pgconn.ssl_in_use),
            is_verified=driver.info.get_parameters().get("sslmode") in _VERIFYING,
            powers=tuple(word for column, word in _POWERS.items() if row[column]),
        )
