"""`python -m tests.docs.write`: write every generated table of the documents anew, and say which
files have changed.
"""

import re

from tests.architecture.tree import ROOT
from tests.docs.files import documents
from tests.docs.tables import TABLES, env_example

ENV_EXAMPLE = ROOT / "config" / "env.example"

MARKED = re.compile(
    r"^(?P<begin><!-- table: (?P<name>[\w-]+) -->\n).*?^(?P<end><!-- end -->\n)", re.M | re.S
)


def rewrite(text: str) -> str:
    """The text with the newest table between each pair of markers."""
    return MARKED.sub(
        lambda match: f"{match['begin']}\n{TABLES[match['name']]()}\n{match['end']}", text
    )


def main() -> None:
    """Write what is stale."""
    for one in documents():
        fresh = rewrite(one.text)
        if fresh != one.text:
            (ROOT / one.name).write_text(fresh, encoding="utf-8")
            print(f"{one.name} is written anew")  # noqa: T201 - a program for the terminal
    ENV_EXAMPLE.parent.mkdir(exist_ok=True)
    ENV_EXAMPLE.write_text(env_example(), encoding="utf-8")


if __name__ == "__main__":
    main()
