"""Entries decoded once, and kept by the bytes they were decoded from."""

from scheduler.beat.due_entries import DueEntry
from scheduler.beat.fast.prepared_run import PreparedRun
from scheduler.errors import UnreadableEntry
from scheduler.redbeat import codec
from scheduler.redbeat.call import StoredCall, stored_call
from scheduler.redbeat.codec import Meta, StoredSchedule
from scheduler.rules.model.spec import Schedule
from scheduler.storage.scripts import text_of

CACHE_SIZE = 20_000
"""Entries in the cache at most. One takes about 6 KB."""


class DecodedEntry:
    """An entry with its schedule, the call of its job, and its prepared run where it has one.

    `meta` is as the last planned step leaves it; where that step is not carried out, the bytes
    that are read next differ, and it is decoded again.
    """

    __slots__ = (
        "_meta_bytes",
        "_stored",
        "call",
        "definition",
        "extra",
        "meta",
        "prepared",
        "static",
    )

    def __init__(self, entry: DueEntry, stored: StoredSchedule, call: StoredCall) -> None:
        self.definition = entry.definition
        self.extra = entry.extra
        self.static = entry.static
        self._stored = stored
        self._meta_bytes = entry.meta
        self.call = call
        self.meta = stored.meta
        self.prepared: PreparedRun | None = None

    @property
    def schedule(self) -> Schedule:
        """The schedule: what to run, and when."""
        return self._stored.schedule

    @property
    def stored(self) -> StoredSchedule:
        """The schedule with the present meta."""
        stored = self._stored
        if stored.meta is self.meta:
            return stored
        return StoredSchedule(stored.schedule, self.meta, stored.diverged)

    def set_meta(self, meta: Meta, text: str) -> None:
        """Take `meta` for the entry's own, before it is written; `text` is its stored form."""
        self.meta = meta
        self._meta_bytes = text.encode()

    def is_of(self, entry: DueEntry) -> bool:
        """True where `entry` has the definition and the extra field this one was decoded from."""
        return (
            self.definition == entry.definition
            and self.extra == entry.extra
            and self.static == entry.static
        )

    def refresh_meta(self, entry: DueEntry) -> None:
        """Decode the meta again where its bytes have changed. Raises UnreadableEntry."""
        if self._meta_bytes != entry.meta:
            self.meta = codec.decode_meta(text_of(entry.meta))
            self._meta_bytes = entry.meta


class DecodedEntryCache:
    """The decoded entries of one process; the oldest is dropped first."""

    def __init__(self) -> None:
        self._entries: dict[bytes, DecodedEntry] = {}

    def decode(self, entry: DueEntry) -> DecodedEntry:
        """The entry decoded; from the cache where its bytes are the same. Raises
        UnreadableEntry.
        """
        cached = self._entries.get(entry.key)
        if cached is not None and entry.fault is None and cached.is_of(entry):
            cached.refresh_meta(entry)
            return cached
        decoded = decode(entry)
        if len(self._entries) >= CACHE_SIZE and entry.key not in self._entries:
            del self._entries[next(iter(self._entries))]
        self._entries[entry.key] = decoded
        return decoded


def decode(entry: DueEntry) -> DecodedEntry:
    """The entry decoded. Raises UnreadableEntry, with the reason."""
    if entry.fault is not None:
        fault = entry.fault.decode("utf-8", "replace")
        raise UnreadableEntry(f"the key is not what it should be: {fault}")
    name, raw = entry.name, entry.raw
    if not name.isascii() and entry.name_bytes != name.encode("utf-8", "replace"):
        raise UnreadableEntry("its name is not UTF-8 text")
    try:
        stored = codec.decode(name, raw, static=bool(entry.static))
        call = stored_call(stored, raw.definition or "")
    except UnreadableEntry:
        raise
    except Exception as error:
        raise UnreadableEntry(f"it cannot be decoded: {type(error).__name__}: {error}") from error
    # The decoded definition, which only an edit needs, is not kept.
    return DecodedEntry(entry, StoredSchedule(stored.schedule, stored.meta, stored.diverged), call)
