"""Entries decoded once, and cached by the bytes of the stored entry."""

from datetime import datetime

from scheduler.beat.due_entries import DueEntry
from scheduler.beat.fast.prepared_run import PreparedRun
from scheduler.errors import UnreadableEntry
from scheduler.messages import kinds
from scheduler.messages import options as option_judge
from scheduler.redbeat import codec, memory
from scheduler.redbeat.call import StoredCall, stored_call
from scheduler.redbeat.codec import Meta, Raw, StoredSchedule
from scheduler.redbeat.usual_entry import UsualEntry, recognise
from scheduler.rules.model.spec import Schedule
from scheduler.storage.scripts import text_of

CACHE_SIZE = 20_000
"""Most entries in the cache. An entry takes about 4 KB."""


class DecodedEntry:
    """An entry with the schedule, the call of the job, and the prepared run if there is one.

    A usual entry is decoded as a whole only where the full path asks for the schedule. The meta is
    that of the last planned step; where the step is not carried out, the bytes read next differ,
    and the meta is decoded again.
    """

    __slots__ = (
        "_call",
        "_meta_bytes",
        "_name",
        "_stored",
        "definition",
        "extra",
        "last",
        "prepared",
        "runs",
        "static",
        "usual",
    )

    def __init__(self, entry: DueEntry, name: str, meta: Meta | None = None) -> None:
        self.definition = entry.definition
        self.extra = entry.extra
        self.static = entry.static
        self.last: datetime | None
        """The last tick sent."""

        self.runs: int | None
        """The number of ticks sent."""

        if meta is None:
            self.last, self.runs = memory.decode_memory(text_of(entry.meta))
        else:
            self.last, self.runs = meta.last_run_at, meta.total_run_count
        self.usual: UsualEntry | None = None
        """The recognised parts, until the run is prepared; None for an unusual entry."""

        self.prepared: PreparedRun | None = None
        self._meta_bytes = entry.meta
        self._name = name
        self._stored: StoredSchedule | None = None
        self._call: StoredCall | None = None

    def whole(self) -> tuple[StoredSchedule, StoredCall]:
        """Return the schedule, with the meta of the time of decoding, and the call of the job.

        Raises UnreadableEntry, with the reason.
        """
        stored, call = self._stored, self._call
        if stored is None or call is None:
            raw = Raw(text_of(self.definition), None, text_of(self.extra))
            stored, call = _decode_whole(self._name, raw, static=bool(self.static))
            self._stored, self._call = stored, call
        return stored, call

    def set_whole(self, stored: StoredSchedule, call: StoredCall) -> None:
        """Set the schedule and the call of an entry decoded as a whole."""
        self._stored = stored
        self._call = call

    @property
    def schedule(self) -> Schedule:
        """The schedule: job, rule and policies. Raises UnreadableEntry."""
        return self.whole()[0].schedule

    @property
    def call(self) -> StoredCall:
        """The call of the schedule's job. Raises UnreadableEntry."""
        return self.whole()[1]

    @property
    def meta(self) -> Meta:
        """The present meta."""
        return Meta(self.last, self.runs)

    @property
    def stored(self) -> StoredSchedule:
        """The schedule with the present meta. Raises UnreadableEntry."""
        stored = self.whole()[0]
        return StoredSchedule(stored.schedule, self.meta, stored.diverged)

    def set_meta(self, last: datetime | None, runs: int | None, text: bytes) -> None:
        """Set the entry's meta before the meta is written; `text` is the stored form."""
        self.last = last
        self.runs = runs
        self._meta_bytes = text

    def is_of(self, entry: DueEntry) -> bool:
        """True where `entry` has the definition and the extra field decoded here."""
        return (
            self.definition == entry.definition
            and self.extra == entry.extra
            and self.static == entry.static
        )

    def refresh_meta(self, entry: DueEntry) -> None:
        """Decode the meta again after a change of the bytes. Raises UnreadableEntry."""
        if self._meta_bytes != entry.meta:
            self.last, self.runs = memory.decode_memory(text_of(entry.meta))
            self._meta_bytes = entry.meta


class DecodedEntryCache:
    """The decoded entries of a process; the oldest is dropped first."""

    def __init__(self) -> None:
        self._entries: dict[bytes, DecodedEntry] = {}

    def decode(self, entry: DueEntry) -> DecodedEntry:
        """Return the entry decoded, from the cache for unchanged bytes. Raises UnreadableEntry."""
        cached = self._entries.get(entry.key)
        if cached is not None and entry.fault is None and cached.is_of(entry):
            cached.refresh_meta(entry)
            return cached
        decoded = _decode_usual(entry) or decode(entry)
        if len(self._entries) >= CACHE_SIZE and entry.key not in self._entries:
            del self._entries[next(iter(self._entries))]
        self._entries[entry.key] = decoded
        return decoded


def usual_parts_of(entry: DueEntry) -> UsualEntry | None:
    """Return the recognised parts of an entry; None for an unusual entry."""
    if entry.fault is not None or entry.static or not entry.definition or not entry.extra:
        return None
    if not entry.name_bytes.isascii():
        return None
    if len(entry.definition) > codec.LARGEST or len(entry.extra) > codec.LARGEST:
        return None  # `decode` says why
    try:
        return recognise(entry.name, entry.definition.decode(), entry.extra.decode())
    except UnicodeDecodeError:
        return None


def _decode_usual(entry: DueEntry) -> DecodedEntry | None:
    """Return a usual entry, not decoded as a whole; None for an unusual entry.

    Raises UnreadableEntry.
    """
    usual = usual_parts_of(entry)
    if usual is None:
        return None
    decoded = DecodedEntry(entry, entry.name)
    decoded.usual = usual
    return decoded


def decode(entry: DueEntry) -> DecodedEntry:
    """The entry decoded as a whole. Raises UnreadableEntry, with the reason."""
    if entry.fault is not None:
        fault = entry.fault.decode("utf-8", "replace")
        raise UnreadableEntry(f"the key is not what it should be: {fault}")
    name = entry.name
    if not name.isascii() and entry.name_bytes != name.encode("utf-8", "replace"):
        raise UnreadableEntry("its name is not UTF-8 text")
    stored, call = _decode_whole(name, entry.raw, static=bool(entry.static))
    decoded = DecodedEntry(entry, name, stored.meta)
    decoded.set_whole(stored, call)
    return decoded


def _decode_whole(name: str, raw: Raw, *, static: bool) -> tuple[StoredSchedule, StoredCall]:
    """A stored entry decoded by all rules. Raises UnreadableEntry, with the reason.

    The options are judged here, before any path: a template of the job's messages would take
    headers that Celery itself never looked at.
    """
    try:
        stored = codec.decode(name, raw, static=static)
        call = stored_call(stored, raw.definition or "")
        job = stored.schedule.job
        fault = option_judge.fault_of(job, call.options)
        if fault is not None:
            raise UnreadableEntry(f"Celery cannot send {kinds.shown(job)}: {fault}")
    except UnreadableEntry:
        raise
    except Exception as error:
        raise UnreadableEntry(f"it cannot be decoded: {type(error).__name__}: {error}") from error
    # The decoded definition, which only an edit needs, is not kept.
    return StoredSchedule(stored.schedule, stored.meta, stored.diverged), call
