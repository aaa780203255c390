"""Time by the server's clock, for leases and backlogs. Pure."""


def seconds_of(reply: tuple[int, int]) -> float:
    """Return the reply to TIME as seconds since 1970."""
    seconds, micros = reply
    return seconds + micros / 1e6
