"""The server's clock, by which leases and backlogs are timed. Pure."""


def seconds_of(reply: tuple[int, int]) -> float:
    """The answer to TIME as seconds since 1970."""
    seconds, micros = reply
    return seconds + micros / 1e6
