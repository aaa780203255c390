"""How long a connection to the history waits, and for what; and what text a database can be
asked about. Pure.
"""

BUSY_SECONDS = 15
"""How long a writer waits for another one in SQLite."""

CONNECT_SECONDS = 5

POSTGRES: dict[str, int | str] = {
    "connect_timeout": CONNECT_SECONDS,
    "application_name": "beatdesk",
    # A server that vanished without a word is noticed within half a minute, not after the kernel's
    # two hours.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}


def is_storable(text: str) -> bool:
    """Whether a database can hold this text: no NUL, no half of a surrogate pair."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
