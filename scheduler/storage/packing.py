"""Commands with names that are no UTF-8: Redis stores any bytes, and our clients read text.

The client's fast packer (hiredis) takes strict UTF-8 only. A name read from Redis with other bytes
(`surrogateescape`) could then not be sent back, and the loop that met it ended.
"""

from typing import Any

from redis.connection import HiredisRespSerializer
from redis.utils import HIREDIS_AVAILABLE

ENCODING_ERRORS = "surrogateescape"


class EscapingPacker(HiredisRespSerializer):
    """The fast packer, which sends bytes that were no UTF-8 as they were read."""

    def pack(self, *args: Any) -> Any:
        """Return a command in Redis's protocol.

        Raises UnicodeEncodeError for half of a surrogate pair, which no server has sent.
        """
        try:
            return super().pack(*args)
        except UnicodeEncodeError:
            command, *rest = args
            return super().pack(command, *map(_as_stored, rest))


def options() -> dict[str, Any]:
    """Return the options of a client that reads and sends any bytes as text.

    Without hiredis the client's own packer heeds `encoding_errors`.
    """
    found: dict[str, Any] = {"encoding_errors": ENCODING_ERRORS}
    if HIREDIS_AVAILABLE:
        found["command_packer"] = EscapingPacker()
    return found


def _as_stored(value: Any) -> Any:
    return value.encode("utf-8", ENCODING_ERRORS) if isinstance(value, str) else value
