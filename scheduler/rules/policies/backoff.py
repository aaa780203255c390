"""Exponential backoff with jitter between the attempts of a run. Pure."""

from hashlib import sha256

LONGEST = 86_400.0
"""The longest wait in seconds (a day), before the spread."""

SPREAD = 0.25
"""Up to a quarter is added, against a common return of runs that failed together."""


def delay(attempt: int, base: float, seed: str) -> float:
    """Return the seconds between the end of `attempt` (1 is the first) and the next attempt.

    At least `base * 2 ** (attempt - 1)`, up to a day, and up to a quarter more. The `seed`, the
    run's id, alone decides the addition.
    """
    wait = min(base * 2.0 ** min(max(attempt - 1, 0), 60), LONGEST)
    return wait * (1 + SPREAD * fraction(f"{seed} {attempt}"))


def fraction(seed: str) -> float:
    """Return a number in [0, 1) derived from `seed` by SHA-256: the same in every process."""
    return int.from_bytes(sha256(seed.encode("utf-8", "surrogatepass")).digest()[:6]) / (1 << 48)
