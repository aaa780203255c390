"""Values of every kind of JSON, as whoever writes to Redis or the broker may put them anywhere."""

KINDS = {
    "null": "null",
    "true": "true",
    "minus one": "-1",
    "infinite": "1e400",
    "not a number": "NaN",
    "long number": "9" * 400,
    "fraction": "0.5",
    "letter": '"x"',
    "empty text": '""',
    "null character": '"a\\u0000b"',
    "half a character": '"\\ud800"',
    "long text": '"' + "y" * 20_000 + '"',
    "empty list": "[]",
    "list": '["a", null]',
    "object": '{"a": {"b": [1]}}',
    "empty object": "{}",
    "typed object": '{"__type__": "crontab", "minute": []}',
    "nested": "[" * 150 + "]" * 150,
    "deep": "[" * 5_000 + "]" * 5_000,
}
"""JSON texts by what they are; some are read by Python only (infinite, half a character)."""


def with_value(template: str, text: str) -> str:
    """Return JSON text with `text` in place of the mark `"@"`."""
    return template.replace('"@"', text)
