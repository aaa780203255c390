"""References to secrets: found wherever they stand, resolved from files and variables, and hidden
again.
"""

import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scheduler.events.secret_names import MASK
from scheduler.worker.execution.secret_refs import (
    Concealer,
    SecretStore,
    UnknownSecret,
    resolved,
)
from scheduler.worker.execution.streams import conceal_output

VALUE = 'pa"ss wörd/1'


def lookup(name: str) -> str:
    return {"shop": VALUE, "other-1": "second"}[name]


def test_references_are_replaced_at_any_depth_and_inside_of_texts() -> None:
    used: set[str] = set()
    given = {"a": ["Bearer secret://shop!", ("secret://other-1",)], "b": 1, "c": "no secret"}
    assert resolved(given, lookup, used) == {
        "a": [f"Bearer {VALUE}!", ("second",)],
        "b": 1,
        "c": "no secret",
    }
    assert used == {VALUE, "second"}


@pytest.mark.parametrize(
    "text",
    ["secret://", "secret://Shop", "secret://../etc/passwd", "x secret://1a", "secret://shöp"],
)
def test_what_only_looks_like_a_reference_is_refused(text: str) -> None:
    with pytest.raises(UnknownSecret):
        resolved(text, lambda name: "never", set())


def test_a_file_comes_before_a_variable_and_its_last_line_break_is_none_of_it(
    tmp_path: Path,
) -> None:
    store = SecretStore(tmp_path, {"BEATDESK_JOB_SECRET_SHOP_TOKEN": "from the variable"})
    assert store.get("shop-token") == "from the variable"
    (tmp_path / "shop-token").write_text("from the file\n")
    assert store.get("shop-token") == "from the file"


def test_a_secret_that_is_not_there_or_too_short_is_refused_with_its_places(tmp_path: Path) -> None:
    with pytest.raises(
        UnknownSecret, match="BEATDESK_SECRETS_DIR, which is not set, or into BEATDESK_JOB_SECRET_A"
    ):
        SecretStore(None, {}).get("a")
    (tmp_path / "a").write_text("abc")
    with pytest.raises(UnknownSecret, match="fewer than 4"):
        SecretStore(tmp_path, {}).get("a")
    (tmp_path / "b").mkdir()
    with pytest.raises(UnknownSecret, match="cannot be read"):
        SecretStore(tmp_path, {}).get("b")


@pytest.mark.parametrize(
    "text",
    [
        VALUE,
        f"x{VALUE}x",
        repr(VALUE),
        '"pa\\"ss w\\u00f6rd/1"',
        "pa%22ss%20w%C3%B6rd/1",
        "pa%22ss%20w%C3%B6rd%2F1",
        "cGEic3Mgd8O2cmQvMQ==",
    ],
)
def test_a_secret_is_hidden_however_it_is_written(text: str) -> None:
    assert "ss" not in Concealer([VALUE]).text(text)
    assert MASK in Concealer([VALUE]).text(text)


def test_a_longer_secret_is_hidden_whole_where_a_shorter_one_is_its_beginning() -> None:
    assert Concealer(["abcd", "abcdef"]).text("abcdef") == MASK


def test_data_is_hidden_in_keys_and_values() -> None:
    concealer = Concealer([VALUE])
    given: Any = {VALUE: [VALUE, (VALUE, 1)], "b": VALUE.encode()}
    assert concealer.value(given) == {MASK: [MASK, (MASK, 1)], "b": MASK.encode()}


class Stubborn(Exception):
    """Says what cannot be changed."""

    def __str__(self) -> str:
        return f"I know {VALUE}"


def failing(how: str) -> None:
    try:
        raise KeyError(VALUE)
    except KeyError as error:
        if how == "chained":
            raise ValueError(f"bad {VALUE}") from error
        if how == "file":
            raise FileNotFoundError(2, "no such file", VALUE) from error
        raise Stubborn from error


@pytest.mark.parametrize("how", ["chained", "file", "stubborn"])
def test_an_error_and_what_led_to_it_show_no_secret(how: str) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - of whatever kind
        failing(how)
    hidden = Concealer([VALUE]).error(caught.value)
    shown = "".join(traceback.format_exception(hidden))
    assert VALUE not in shown
    assert VALUE not in repr(hidden)
    assert MASK in shown
    assert (hidden is caught.value) is (how == "chained"), (
        "the error itself, where its words can be changed"
    )


@dataclass
class Visitor:
    """An object that is no JSON."""

    key: str


@pytest.mark.parametrize("value", [Visitor(VALUE), Path("/shop") / VALUE, {1: Visitor(VALUE)}])
def test_an_object_that_shows_the_secret_becomes_what_it_shows(value: object) -> None:
    hidden = Concealer([VALUE]).value(value)
    assert VALUE not in repr(hidden)
    assert MASK in repr(hidden)


def test_other_objects_and_numbers_stay_as_they_are() -> None:
    concealer = Concealer([VALUE, "47110815"])
    for value in (Visitor("ada"), Path("/shop"), 7, 1.5, True, None):
        assert concealer.value(value) is value
    assert concealer.value([47110815, 4711]) == [MASK, 4711]


def test_what_a_job_prints_is_hidden_while_it_has_the_secret(
    capsys: pytest.CaptureFixture[str],
) -> None:
    end = conceal_output(Concealer([VALUE]).text)
    sys.stdout.write(f"uses {VALUE}\n")
    sys.stderr.writelines([f"or {VALUE}\n"])
    end()
    sys.stdout.write("over\n")
    captured = capsys.readouterr()
    assert captured.out == f"uses {MASK}\nover\n"
    assert captured.err == f"or {MASK}\n"
