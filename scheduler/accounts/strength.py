"""How easily a password is guessed. Pure.

zxcvbn estimates how many guesses a password takes: common passwords, names, words, dates, rows of
keys, repetitions, and the account's own address are guessed early. Its search for replaced letters
(`p4ssw0rd`) takes exponential time, so it judges `JUDGED` characters at a time, in less than 0.1 s.
"""

import re
from collections.abc import Iterable
from typing import Any

JUDGED = 20
"""Characters judged at a time: the beginning of a password, and where that is weak, its end."""

FEWEST_GUESSES = 10**8
"""A password guessed sooner is weak: zxcvbn's third of four levels begins here."""

PRODUCT_WORDS = ("beatdesk", "beat", "desk", "celery", "celerybeat", "redbeat", "scheduler")
"""Words that an attacker of this console tries first, beside the account's own."""

_WORD = re.compile(r"[^\W_]{3,}")


def weakness(password: str, own_words: Iterable[str] = ()) -> str | None:
    """Return why a password is easily guessed, as a sentence; None for a password that is not.

    `own_words` are texts about the account, such as its address. Their parts count as words too.
    """
    if not password:
        return "it is empty"
    words = _guessed_first(own_words)
    if password.lower() in words:
        return "it is the account's address, a part of it, or the product's name"
    found = _judge(password[:JUDGED], words)
    if found is not None and len(password) > JUDGED:
        found = _judge(password[-JUDGED:], words)
    return found


def _guessed_first(texts: Iterable[str]) -> list[str]:
    """Words in small letters that an attacker would try before all others, 50 at most."""
    words = list(PRODUCT_WORDS)
    for text in texts:
        short = text[:254].lower()
        words += [short, short.partition("@")[0], *_WORD.findall(short)]
    return words[:50]


def _judge(part: str, words: list[str]) -> str | None:
    # Imported on call: the lists of words take 15 MB, and most processes judge no password.
    from zxcvbn import zxcvbn

    estimate: dict[str, Any] = zxcvbn(part, user_inputs=words)
    if estimate["guesses"] >= FEWEST_GUESSES:
        return None
    warning = str(estimate["feedback"]["warning"]).rstrip(".")
    return warning[:1].lower() + warning[1:] if warning else "few guesses would find it"
