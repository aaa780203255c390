"""Entries that were decoded, kept by the bytes that they were decoded from."""

from scheduler.beat.due_entries import DueEntry
from scheduler.beat.fast.routine import FastPath
from scheduler.errors import UnreadableEntry
from scheduler.redbeat import codec
from scheduler.redbeat.call import StoredCall, stored_call
from scheduler.redbeat.codec import Meta, StoredSchedule
from scheduler.rules.model.spec import Schedule
from scheduler.storage.scripts import text_of

MOST_KEPT = 20_000
"""Entries that are kept. One is about 6 KB."""


class DecodedEntry:
    """A decoded entry. What Beat remembers of it is as it will be once what was planned last is
    carried out.
    """

    __slots__ = (
        "_entry",
        "_meta_text",
        "call",
        "definition",
        "extra",
        "memory",
        "routine",
        "static",
    )

    def __init__(self, seen: DueEntry, entry: StoredSchedule, call: StoredCall) -> None:
        self.definition, self.extra, self.static = seen.definition, seen.extra, seen.static
        self._entry, self._meta_text = entry, seen.meta
        self.call = call
        self.memory = entry.meta
        self.routine: FastPath | None = None

    @property
    def schedule(self) -> Schedule:
        """What is to be done, and when."""
        return self._entry.schedule

    @property
    def entry(self) -> StoredSchedule:
        """The entry with what is remembered of it."""
        entry, memory = self._entry, self.memory
        return (
            entry
            if entry.meta is memory
            else StoredSchedule(entry.schedule, memory, entry.diverged)
        )

    def remember(self, memory: Meta, text: str) -> None:
        """What is planned becomes what is remembered; `text` is how that will be stored."""
        self.memory, self._meta_text = memory, text.encode()

    def keeps_up_with(self, seen: DueEntry) -> bool:
        """Is it still the same entry? Its memory is read anew where it is another. Raises
        UnreadableEntry.
        """
        if (
            self.definition != seen.definition
            or self.extra != seen.extra
            or self.static != seen.static
        ):
            return False
        if self._meta_text != seen.meta:
            self.memory = codec.decode_meta(text_of(seen.meta))
            self._meta_text = seen.meta
        return True


class DecodedEntryCache:
    """Those of one process, the oldest forgotten first."""

    def __init__(self) -> None:
        self._kept: dict[bytes, DecodedEntry] = {}

    def known(self, seen: DueEntry) -> DecodedEntry:
        """The decoded entry. Raises UnreadableEntry."""
        if seen.fault is not None:
            raise UnreadableEntry(
                f"the key is not what it should be: {seen.fault.decode('utf-8', 'replace')}"
            )
        known = self._kept.get(seen.key)
        if known is None or not known.keeps_up_with(seen):
            known = _decoded(seen)
            if len(self._kept) >= MOST_KEPT and seen.key not in self._kept:
                del self._kept[next(iter(self._kept))]
            self._kept[seen.key] = known
        return known


def _decoded(seen: DueEntry) -> DecodedEntry:
    name, raw = seen.name, seen.raw
    if not name.isascii() and seen.name_bytes != name.encode("utf-8", "replace"):
        raise UnreadableEntry("its name is no text")
    try:
        entry = codec.decode(name, raw, static=bool(seen.static))
        call = stored_call(entry, raw.definition or "")
        entry = StoredSchedule(
            entry.schedule, entry.meta, entry.diverged
        )  # what only editing needs is not kept
    except UnreadableEntry:
        raise
    except Exception as error:
        raise UnreadableEntry(f"it cannot be decoded: {type(error).__name__}: {error}") from error
    return DecodedEntry(seen, entry, call)
