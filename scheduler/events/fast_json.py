"""JSON of plain values as the standard library writes it, sooner: for values of which Beat has
thousands at once.
"""

import json
from collections.abc import Callable
from json import encoder
from typing import Any, NoReturn


def writer(
    *, ascii_only: bool = True, separators: tuple[str, str] = (", ", ": ")
) -> Callable[[Any], str]:
    """What writes as `json.JSONEncoder` does, for values that do not hold themselves. Raises
    TypeError, ValueError.

    The library makes its machinery anew for each value, which takes as long as it takes to write a
    short one.
    """
    item_separator, key_separator = separators
    make: Any = vars(encoder)["c_make_encoder"]
    if make is None:  # another interpreter's library
        return json.JSONEncoder(ensure_ascii=ascii_only, separators=separators).encode
    quote = encoder.encode_basestring_ascii if ascii_only else encoder.encode_basestring
    chunks = make(None, _refuse, quote, None, key_separator, item_separator, False, False, True)
    return lambda value: "".join(chunks(value, 0))


def _refuse(value: object) -> NoReturn:
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
