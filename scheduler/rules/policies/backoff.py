"""How long to wait before the next attempt: twice as long each time, and not all at the same
moment. Pure.
"""

from hashlib import sha256

LONGEST = 86_400.0
"""No wait is longer than a day, before the spread."""

SPREAD = 0.25
"""Up to a quarter more, so that runs that failed together do not come back together."""


def delay(attempt: int, base: float, seed: str) -> float:
    """Seconds between the end of `attempt` (1 is the first) and the next one; the same for the same
    seed.

    Never shorter than `base * 2 ** (attempt - 1)`, up to a day. `seed` is the run's id.
    """
    wait = min(base * 2.0 ** min(max(attempt - 1, 0), 60), LONGEST)
    return wait * (1 + SPREAD * fraction(f"{seed} {attempt}"))


def fraction(seed: str) -> float:
    """A number in [0, 1) that looks like chance and is the same everywhere."""
    return int.from_bytes(sha256(seed.encode("utf-8", "surrogatepass")).digest()[:6]) / (1 << 48)
