"""Text for a terminal: control characters of data must not control the terminal. Pure.

Escape sequences in a log line or a name could clear the screen, forge output, set the title of the
window or, with some terminals, send keys.
"""

import json


def visible(text: str) -> str:
    """Return text with control and other unprintable characters escaped, as `\\x1b` for ESC."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else _escaped(sign) for sign in text)


def visible_lines(text: str) -> str:
    """Return text of several lines: line breaks and tabs stay, the rest is as in `visible`."""
    if text.isprintable():
        return text
    return "".join(
        sign if sign in "\n\t" or sign.isprintable() else _escaped(sign)
        for sign in text.replace("\r\n", "\n")
    )


def visible_json(text: str) -> str:
    """Return JSON with the same content, whose texts have no raw unprintable characters.

    JSON escapes the control characters below 0x20 only: 0x9b begins escape sequences too.
    """
    if text.isprintable():
        return text
    return "".join(
        sign if sign == "\n" or sign.isprintable() else json.dumps(sign)[1:-1] for sign in text
    )


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape").decode()
