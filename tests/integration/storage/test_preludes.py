"""What scripts share reads and writes the same as Python does: on the server, against the golden
files.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from scheduler.beat.due_entries import DueEntry
from scheduler.beat.entry_writes import NO_LEASE, parts_of, usual_parts
from scheduler.storage.entry_fields import as_stored, entry_arguments
from scheduler.storage.lua import prelude_text, script_text

LEASES: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parents[2] / "unit/runs/golden/leases.json").read_text()
)
PARTS = ("uid", "attempt", "worker", "failures", "till", "name")

DECODE = """
local lease = decode_lease(ARGV[1])
if not lease then
  return false
end local held = is_held(lease) and 1 or 0 return {lease.uid, lease.attempt, lease.worker,
lease.failures, lease.till, lease.name, held, encode_lease(lease)}
"""


def decoded(redis: Redis, record: str) -> Any:
    return redis.eval(prelude_text("lease") + DECODE, 0, record)


@pytest.mark.parametrize("name", LEASES)
def test_a_script_reads_and_writes_a_lease_as_the_golden_file_says(redis: Redis, name: str) -> None:
    parts = LEASES[name]
    *read, held, written = decoded(redis, parts["record"])
    assert read == [parts[part] for part in PARTS]
    assert held == int(parts["worker"] != "-")
    assert written == parts["record"]


@pytest.mark.parametrize("record", ["", "x", "uid 1 - 0 0"])
def test_what_is_no_lease_is_none_in_a_script(redis: Redis, record: str) -> None:
    assert decoded(redis, record) is None


READ = """
local fields = read_entry(KEYS[1], redis.pcall)
if fields.err then
  return {'no hash'}
end
local answer = {is_as_it_was_read(fields, ARGV, 1) and 1 or 0, has_definition(ARGV, 1) and 1 or 0}
for number = 1, 3 do
  answer[#answer + 1] = is_field(fields, number, ARGV, 1) and 1 or 0
end
return answer
"""
ENTRIES: list[tuple[str | None, str | None, str | None]] = [
    ("{}", None, None),
    ("{}", "{}", None),
    ("{}", "{}", '{"uid":"x"}'),
    ("", "", ""),
    (None, None, None),
    (None, None, ""),
    ("+{}", "-", "1"),
    ("\udcff not UTF-8", "ä", "0"),
]


@pytest.mark.parametrize("stored", ENTRIES)
@pytest.mark.parametrize("expected", ENTRIES)
def test_an_entry_is_as_it_was_read_in_every_field_or_it_is_not(
    redis: Redis, stored: tuple[str | None, ...], expected: tuple[str | None, ...]
) -> None:
    fields = zip(("definition", "meta", "beatdesk"), stored, strict=True)
    for name, text in fields:
        if text is not None:
            redis.hset("redbeat:x", name, as_stored(text))
    whole, has_definition, *each = redis.eval(
        prelude_text("entry") + READ, 1, "redbeat:x", *entry_arguments(expected)
    )
    assert whole == int(stored == expected)
    assert has_definition == int(expected[0] is not None)
    assert each == [int(one == two) for one, two in zip(stored, expected, strict=True)]


def test_what_is_written_is_what_was_given(redis: Redis) -> None:
    fields = ('{"name": "x"}', "", "\udcff")
    redis.eval(
        prelude_text("entry") + "write_entry(KEYS[1], ARGV, 1)",
        1,
        "redbeat:x",
        *entry_arguments(fields),
    )
    assert redis.eval(prelude_text("entry") + READ, 1, "redbeat:x", *entry_arguments(fields)) == [
        1,
        1,
        1,
        1,
        1,
    ]


def test_a_key_of_another_kind_is_an_error_that_a_script_can_look_at(redis: Redis) -> None:
    redis.set("redbeat:x", "text")
    assert redis.eval(
        prelude_text("entry") + READ, 1, "redbeat:x", *entry_arguments((None, None, None))
    ) == ["no hash"]


def test_the_steps_of_beat_carry_an_entry_as_other_scripts_take_it() -> None:
    for entry in ENTRIES:
        fields = [None if text is None else as_stored(text) for text in entry]
        seen = DueEntry(b"redbeat:x", b"x", b"1", *fields, 0, 0, [], None)
        there, *texts = parts_of(seen, 1.0)[1:5]
        assert [there[:3].encode(), *(text or b"" for text in texts)] == entry_arguments(entry)
        if seen.definition and seen.meta:
            usual = usual_parts(seen, 1.0, meta="m", uid="u", lease=NO_LEASE, message=[0], event="")
            assert usual == parts_of(seen, 1.0, meta="m", uid="u")


def test_a_script_stands_behind_the_preludes_that_it_names() -> None:
    text = script_text("scheduler.runs", "record.lua")
    assert text.startswith(prelude_text("lease"))
    assert text.count("local function decode_lease(") == 1
    assert "decode_lease" not in script_text("scheduler.runs", "claim.lua")
