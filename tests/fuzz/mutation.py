"""Bad texts from good ones, the same at every run: mutations, and families that grow. Pure."""

from collections.abc import Iterator, Sequence
from random import Random

FAMILIES = {
    "letters": ("", "a", ""),
    "digits": ("", "9", ""),
    "minus": ("", "-", ""),
    "spaces": ("a", " ", "b"),
    "tabs and breaks": ("", "\t\n", "x"),
    "parentheses": ("", "(", ""),
    "brackets": ("", "[", ""),
    "closed brackets": ("[", "[],", "1]"),
    "objects": ("", '{"a":', ""),
    "commas": ("", "1,", ""),
    "dots": ("", "a.", ""),
    "stars": ("", "*", ""),
    "slashes": ("", "/", ""),
    "colons": ("", "a:", ""),
    "at signs": ("redis://", "@", ""),
    "semicolons": ("", "a=b;", ""),
    "ampersands": ("x?", "a=b&", ""),
    "backslashes": ('"', "\\", '"'),
    "quotes": ("", '"', ""),
    "apostrophes": ("", "'a' ", ""),
    "percent": ("", "%", ""),
    "combining marks": ("a", "\u0300", ""),
    "precomposed": ("", "\ufdfa", ""),
    "wide": ("", "\U0001f600", ""),
    "lone surrogates": ("", "\ud800", ""),
    "zeroes": ("", "\0", ""),
    "escapes": ("", "\x1b[31m", ""),
    "list of JSON": ("[", '"a",', '"a"]'),
    "names of JSON": ('{"a":1', ',"a":1', "}"),
    "YAML aliases": ("a: &a [x]\nb: [", "*a,", "*a]"),
    "YAML lists": ("", "- ", "a"),
    "YAML flow": ("", "{a: ", ""),
    "lines": ("", "x: y\n", ""),
    "words": ("", "password=x ", ""),
    "secrets": ("", "secret://", ""),
    "bearers": ("", "Bearer ", ""),
    "addresses": ("", "a://b:c@", ""),
    "ranges": ("", "1-2,", "1 * * * *"),
    "rule parts": ("FREQ=DAILY", ";BYHOUR=1", ""),
    "folded lines": ("BEGIN:VCALENDAR\r\nSUMMARY:", "a\r\n ", ""),
    "components": ("", "BEGIN:VEVENT\r\n", ""),
}
"""Beginning, repeated part and end of texts that make a careless reader quadratic, or too deep."""

SHORTEST = ("", " ", "\n", "0", ".", '""', "\0", "\ud800")

TOKENS = (
    *("", "\0", "\n", "\r\n", "\t", " ", '"', "'", "\\", "\\u0000", "\\ud800", "\ud800", "\x1b["),
    *("{", "}", "[", "]", ",", ":", ";", "=", "-", "+", ".", "..", "/", "@", "#", "%", "%00", "*"),
    *("0", "-1", "1e999", "NaN", "Infinity", "null", "true", "9" * 19, "9" * 400, "9" * 5000),
    *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-11-21", "24:00", "H", "L"),
    *("é", "e\u0301", "\u202e", "\u2028", "\U0001f600", "İ", "ß", "²", "٣", "..", "a" * 300),
    *(
        "secret://",
        "http://",
        "[::1",
        "::",
        "1" * 40,
        "BEGIN:VEVENT",
        "TZID=",
        "RRULE:",
        "&a",
        "*a",
    ),
)


def repeated(family: str, length: int) -> str:
    """Return the text of a family with about `length` characters, and never more."""
    begin, part, end = FAMILIES[family]
    return (begin + part * (max(length - len(begin) - len(end), 0) // len(part)) + end)[:length]


def mutations(samples: Sequence[str], count: int, longest: int, seed: str) -> Iterator[str]:
    """Yield `count` bad texts made from `samples`; the same ones for the same seed."""
    random = Random(seed)  # noqa: S311 - no secret
    for _ in range(count):
        text = random.choice(samples)
        for _ in range(random.randint(1, 4)):
            text = _changed(text, samples, random)
        yield text[:longest]


def _changed(text: str, samples: Sequence[str], random: Random) -> str:
    at = random.randint(0, len(text))
    to = min(len(text), at + random.choice((0, 1, 1, 2, 5, 40)))
    kind = random.randint(0, 5)
    if kind == 0:
        return text[:at] + text[to:]
    if kind == 1:
        return text[:at] + text[at:to] * random.choice((2, 3, 50)) + text[to:]
    if kind == 2 and at < len(text):
        return (
            text[:at] + chr(random.choice((0, 10, 34, 39, 45, 58, 92, 127, 233, 0x660))) + text[to:]
        )
    if kind == 3:
        other = random.choice(samples)
        return text[:at] + other[random.randint(0, len(other)) :]
    return text[:at] + random.choice(TOKENS) + text[to:]
