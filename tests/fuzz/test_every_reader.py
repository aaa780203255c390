"""Every reader of text, with texts that nobody would write: documented errors, in bounded time."""

import logging
from collections.abc import Iterator

import pytest

from tests.fuzz.mutation import FAMILIES, SHORTEST, mutations, repeated
from tests.fuzz.table import ELSEWHERE, READERS, parsing_modules, targets
from tests.fuzz.trying import UndocumentedError, least_seconds

MUTATIONS = 60
"""Mutated texts for each reader; `make fuzz` tries as many as it has time for."""

SHORT = 1_000


@pytest.fixture(autouse=True)
def _no_log() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_every_module_that_parses_is_a_target_or_has_a_reason() -> None:
    assert parsing_modules() - targets() == ELSEWHERE.keys() & parsing_modules() - targets()
    assert not ELSEWHERE.keys() & targets(), "a target needs no reason"
    assert ELSEWHERE.keys() <= parsing_modules(), "a module that parses nothing needs no reason"


@pytest.mark.parametrize("name", READERS)
def test_a_reader_accepts_its_samples(name: str) -> None:
    reader = READERS[name]
    for sample in reader.samples:
        reader.read(sample)


@pytest.mark.parametrize("name", READERS)
def test_a_text_of_any_length_costs_bounded_time_and_raises_documented_errors(name: str) -> None:
    reader = READERS[name]
    for text in SHORTEST:
        least_seconds(reader, text)
    slow = {}
    for family in FAMILIES:
        for length in (SHORT, reader.longest):
            seconds = least_seconds(reader, repeated(family, length))
            if seconds > reader.seconds:
                slow[family, length] = seconds
    assert not slow, f"at most {reader.seconds} s of CPU for a text"


@pytest.mark.parametrize("name", READERS)
def test_a_good_text_with_changes_costs_bounded_time_and_raises_documented_errors(
    name: str,
) -> None:
    reader = READERS[name]
    for text in mutations(reader.samples, MUTATIONS, reader.longest, name):
        assert least_seconds(reader, text) <= reader.seconds, text[:200]


def test_an_undocumented_error_and_a_slow_reader_are_found() -> None:
    def careless(text: str) -> None:
        if "[" in text:
            raise RecursionError
        while len(text) > SHORT:
            text = text[1:]  # quadratic

    reader = READERS["scheduler.cli.fields list"]._replace(read=careless, seconds=0.01)
    with pytest.raises(UndocumentedError, match="RecursionError"):
        least_seconds(reader, repeated("brackets", SHORT))
    assert least_seconds(reader, repeated("letters", 100_000)) > reader.seconds
