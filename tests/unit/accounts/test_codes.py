"""Codes of the second step: RFC 6238's examples, clocks that differ, texts that are no codes."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from scheduler.accounts.codes import (
    DIGITS,
    LONGEST,
    RECOVERY_CODES,
    STEP,
    as_typed,
    make_recovery_codes,
    make_secret,
    matching_step,
    setup_address,
    step_at,
)

RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""The ASCII text 12345678901234567890 of RFC 6238's examples, in base32."""

RFC_CODES = {
    59: "94287082",
    1111111109: "07081804",
    1111111111: "14050471",
    1234567890: "89005924",
    2000000000: "69279037",
    20000000000: "65353130",
}


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize(("seconds", "code"), RFC_CODES.items())
def test_the_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    now = _at(seconds)
    assert matching_step(RFC_SECRET, code[-DIGITS:], now) == seconds // STEP


@pytest.mark.parametrize(
    ("seconds", "holds"),
    [(-2 * STEP, False), (-STEP, True), (0, True), (STEP, True), (2 * STEP, False)],
)
def test_a_code_counts_one_step_before_and_after_its_own(seconds: int, holds: bool) -> None:
    now = _at(1111111109) + timedelta(seconds=seconds)
    found = matching_step(RFC_SECRET, "081804", now)
    assert found == (1111111109 // STEP if holds else None)
    assert step_at(now) == 1111111109 // STEP + seconds // STEP


@pytest.mark.parametrize(
    "code", ["", "08180", "0818040", "08180a", "０８１８０４", "٠٨١٨٠٤", "081 04", "-81804"]
)
def test_what_is_not_six_ascii_digits_is_no_code(code: str) -> None:
    assert matching_step(RFC_SECRET, code, _at(1111111109)) is None


def test_spaces_and_dashes_of_a_typed_code_do_not_count() -> None:
    assert as_typed(" 081 804\n") == "081804"
    assert as_typed("ABCD-efgh-IJKL-mnop") == "abcdefghijklmnop"
    assert as_typed("1" * (LONGEST + 1)) == ""


def test_recovery_codes_differ_and_are_long() -> None:
    made = make_recovery_codes()
    assert len(set(made)) == RECOVERY_CODES
    assert {len(as_typed(code)) for code in made} == {16}


def test_the_address_for_the_app_has_issuer_account_and_secret() -> None:
    secret = make_secret()
    address = urlsplit(setup_address(secret, "ann+x@example.org"))
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert address.path == "/Beatdesk:ann%2Bx%40example.org"
    assert parse_qs(address.query) == {"secret": [secret], "issuer": ["Beatdesk"]}
