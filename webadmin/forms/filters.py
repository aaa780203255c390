"""The search box and the filters of the schedule list, as text and as the store's query.

`tag:nightly job:reports.job_summary state:disabled report` finds disabled schedules with the tag
and the job, and with 'report' in the name. An unknown state is reported; an unknown qualifier is
part of the searched text.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import get_args
from urllib.parse import urlencode

from scheduler.schedules.filters import State

STATES: tuple[State, ...] = get_args(State)

LONGEST_SEARCH = 200


@dataclass(frozen=True)
class Filters:
    """The filters of one page of the list."""

    search: str = ""
    state: State = "all"
    job: str = ""
    tag: str = ""
    complaint: str = ""

    @property
    def text(self) -> str:
        """Return the filters as one line of the search box."""
        parts = [
            f"tag:{_quoted(self.tag)}" if self.tag else "",
            f"job:{_quoted(self.job)}" if self.job else "",
        ]
        parts.append(f"state:{self.state}" if self.state != "all" else "")
        return " ".join(part for part in (*parts, self.search) if part)

    @property
    def active(self) -> bool:
        """Whether any filter is set."""
        return bool(self.search or self.job or self.tag or self.state != "all")

    def query(self, **changes: str) -> str:
        """Return the list's query string with the filters and `changes`."""
        own = {
            key: text for key, text in changes.items() if key in {"search", "job", "tag", "state"}
        }
        rest = {key: text for key, text in changes.items() if key not in own}
        changed = replace(self, **own)  # type: ignore[arg-type] # links use valid states only
        values = {
            key: text
            for key, text in asdict(changed).items()
            if text and text != "all" and key != "complaint"
        }
        return urlencode(
            {("q" if key == "search" else key): text for key, text in values.items()} | rest
        )


def wanted(args: Mapping[str, str]) -> Filters:
    """Return the filters of a GET form; qualifiers in the search box override the selects."""
    filters = Filters(job=args.get("job", "").strip(), tag=args.get("tag", "").strip())
    filters = _with_state(filters, args.get("state", "all").strip() or "all")
    words = []
    for word in _words(args.get("q", "")[:LONGEST_SEARCH]):
        name, colon, text = word.partition(":")
        if not colon or not text:
            words.append(word)
        elif name == "state":
            filters = _with_state(filters, text)
        elif name == "tag":
            filters = replace(filters, tag=text)
        elif name == "job":
            filters = replace(filters, job=text)
        else:
            words.append(word)
    return replace(filters, search=" ".join(words))


def _with_state(filters: Filters, text: str) -> Filters:
    for state in STATES:
        if text == state:
            return replace(filters, state=state)
    return replace(
        filters, complaint=f"There is no state {text!r}. Use one of {', '.join(STATES)}."
    )


def _words(text: str) -> list[str]:
    """Return the words of a search; a part in double quotes is one word, without the quotes."""
    words: list[str] = []
    current, quoted = "", False
    for letter in text:
        if letter == '"':
            quoted = not quoted
        elif letter.isspace() and not quoted:
            words.append(current)
            current = ""
        else:
            current += letter
    return [word for word in (*words, current) if word]


def _quoted(text: str) -> str:
    return f'"{text}"' if any(letter.isspace() for letter in text) else text
