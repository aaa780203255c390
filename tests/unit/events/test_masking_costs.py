"""The cost of masking grows with the length of a text, and not with its square.

Compared are texts of one and of four times the length: a linear function takes four times as long,
a quadratic one sixteen times. A text that takes next to no time is not compared.
"""

from itertools import product
from time import process_time

import pytest

from scheduler.events.bounds import bounded, masked_text
from webadmin import present
from webadmin.forms import json_text

LENGTH = 30_000
NEGLIGIBLE = 0.2
"""Seconds for four times `LENGTH`: a quadratic function takes more."""

PIECES = [
    "a", "aA", "a.", "a-", "-a", "a:", "a@", ":@", "://", "a://", "a://b:", "a://b:c@", "token",
    "token=", "token=a", "token='", '"token":"', "authorization: bearer ", "cookie: ", "a=b; ",
    "password=x(", "\\", '\\"', '"', "' ", "--token ", "--a-", "a-key: ", "x-", "Bearer ", "eyJ",
    "eyJaaaaaaaa.", "-----BEGIN PRIVATE KEY-----", "jdbc:oracle:thin:", "jdbc:oracle:a:b/", "AKIA",
    "SG.", "pwd=", "${", "<", "secret://", "ghp_", "é", "a a", "\n",
]  # fmt: skip
ENDS = ["", "(", "://", "=", "'", "@"]


def seconds(text: str) -> float:
    begun = process_time()
    masked_text(text)
    return process_time() - begun


@pytest.mark.parametrize("piece", PIECES)
def test_masking_a_text_is_linear(piece: str) -> None:
    for end in ENDS:
        many = 4 * LENGTH // len(piece)
        long = seconds(piece * many + end)
        if long > NEGLIGIBLE:
            short = min(seconds(piece * (many // 4) + end) for _ in range(3))
            assert min(long, *(seconds(piece * many + end) for _ in range(2))) < 8 * short


def test_pairs_of_pieces_are_masked_quickly() -> None:
    for one, other in product(PIECES[::2], PIECES[1::2]):
        text = (one + other) * (8_000 // len(one + other))
        assert seconds(text) < 0.3, (one, other)


@pytest.mark.parametrize(
    "value", [{f"n{i}": 1 for i in range(30_000)}, {"a" * 60_000: "a" * 60_000}]
)
def test_many_and_long_names_cost_little(value: dict[str, object]) -> None:
    begun = process_time()
    present.pretty(value)
    bounded(value, 1000)
    assert process_time() - begun < 2


def test_a_name_that_stands_twice_among_many_is_found_quickly() -> None:
    text = "{" + ", ".join(f'"n{i}": 1' for i in range(30_000)) + ', "n29999": 2}'
    begun = process_time()
    with pytest.raises(json_text.BadJson, match="'n29999' stands twice"):
        json_text.parse(text)
    assert process_time() - begun < 1
