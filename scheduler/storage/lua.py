"""Scripts for the server, each behind the preludes named in the script.

A line `-- uses: entry, lease` in a script puts `entry.lua` and `lease.lua` of this folder in front
of the script: shared code is written once. The text is assembled when a script is loaded. A server
with the script in the cache gets the digest only, so that a prelude costs a call no more than the
definition of the prelude's functions.
"""

import re
from functools import cache
from importlib.resources import files

_USES = re.compile(r"^-- uses: (?P<names>[a-z_, ]+)$", re.MULTILINE)


@cache
def script_text(package: str, name: str) -> str:
    """Return the text of the script `name` in the folder of `package`, preludes included."""
    text = files(package).joinpath(name).read_text(encoding="utf-8")
    uses = _USES.search(text)
    preludes = uses["names"].split(",") if uses is not None else []
    return "\n".join([*(prelude_text(prelude.strip()) for prelude in preludes), text])


def prelude_text(name: str) -> str:
    """Return the text of a prelude."""
    return files(__package__).joinpath(f"{name}.lua").read_text(encoding="utf-8")
