"""What a docstring says of each parameter, in the two ways in which people write that. Pure.

:param days: how many                       Args:
                                                days (int): how many
"""

import inspect
import re

_FIELD = re.compile(r"^:param\s+(?:[^:]*\s)?(?P<name>\*{0,2}\w+)\s*:\s*(?P<text>.*)$")
_HEAD = re.compile(r"^(?:Args|Arguments|Parameters):\s*$")
_ENTRY = re.compile(r"^(?P<name>\*{0,2}\w+)\s*(?:\([^)]*\))?\s*:\s*(?P<text>.*)$")


def parameter_docs(doc: str) -> dict[str, str]:
    """Parameter -> what is said of it, on one line."""
    lines = inspect.cleandoc(doc).splitlines()
    return {
        name: " ".join(words.split())
        for name, words in {**_section(lines), **_marked(lines)}.items()
    }


def _marked(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    name = ""
    for line in lines:
        match = _FIELD.match(line)
        if match:
            name = match["name"].lstrip("*")
            found[name] = match["text"]
        elif name and line.startswith(" "):
            found[name] += " " + line
        else:
            name = ""
    return found


def _section(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    inside, depth, name = False, 0, ""
    for line in lines:
        if _HEAD.match(line):
            inside, depth = True, 0
            continue
        indent = len(line) - len(line.lstrip())
        if not inside or not line.strip():
            continue
        if indent == 0:
            inside = False
            continue
        depth = depth or indent
        match = _ENTRY.match(line.strip())
        if indent == depth and match:
            name = match["name"].lstrip("*")
            found[name] = match["text"]
        elif name:
            found[name] += " " + line
    return found
