"""Wrong passwords lead to delays, never to a lock-out: which login may try a password now."""

from dataclasses import dataclass, field
from time import monotonic

import pytest

from scheduler.clock import utc_now
from webadmin.counting.counters import Counters
from webadmin.counting.names import network_of
from webadmin.limits.hashing import HashSlots
from webadmin.limits.login_gate import (
    ACCOUNT_PAUSE,
    CODES,
    FIRST_DELAY,
    MOST_BY_ADDRESS,
    MOST_BY_DEVICE,
    MOST_OF_ACCOUNT,
    MOST_OF_ALL,
    WINDOW,
    Attempt,
    LoginGate,
)
from webadmin.limits.too_many import TooManyLogins

OWNER = "ann@example.org"


@dataclass
class Clock:
    """A clock that stands until a test moves it."""

    now: float = field(default_factory=lambda: utc_now().timestamp())

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the gate and of the counts in memory."""
    clock = Clock()
    monkeypatch.setattr("limits.storage.memory.time.time", clock)
    return clock


@pytest.fixture
def gate(clock: Clock) -> LoginGate:
    return LoginGate(Counters("memory://"), clock)


def wrong(gate: LoginGate, address: str, account: str = OWNER, device: str | None = None) -> None:
    gate.charge(Attempt(account, address, device)).spend()


def refusal(gate: LoginGate, address: str, account: str = OWNER) -> TooManyLogins:
    with pytest.raises(TooManyLogins) as caught:
        gate.charge(Attempt(account, address))
    return caught.value


def attack(gate: LoginGate, count: int = MOST_OF_ACCOUNT) -> None:
    for number in range(count):
        wrong(gate, f"10.0.{number}.1")


def test_an_address_has_a_number_of_wrong_passwords_for_all_accounts(gate: LoginGate) -> None:
    for number in range(MOST_BY_ADDRESS):
        wrong(gate, "10.0.0.1", f"nobody{number}@example.org")
    refused = refusal(gate, "10.0.0.1")
    assert (refused.reason, refused.retry_after) == ("address", WINDOW)
    gate.charge(Attempt(OWNER, "10.0.0.2"))


def test_right_passwords_cost_nothing(gate: LoginGate) -> None:
    for _ in range(3 * MOST_BY_ADDRESS):
        gate.charge(Attempt(OWNER, "10.0.0.1")).give_back()


def test_logins_in_flight_count_before_they_are_judged(gate: LoginGate) -> None:
    charges = [gate.charge(Attempt(OWNER, "10.0.0.1")) for _ in range(MOST_BY_ADDRESS)]
    assert refusal(gate, "10.0.0.1").reason == "address"
    charges[0].give_back()
    gate.charge(Attempt(OWNER, "10.0.0.1"))


def test_a_refused_login_is_not_counted(gate: LoginGate, clock: Clock) -> None:
    attack(gate)
    for _ in range(100):
        refusal(gate, "10.0.0.1")
    clock.now += FIRST_DELAY + 1
    gate.charge(Attempt(OWNER, "10.0.0.1"))


def test_an_attacked_account_opens_to_an_address_that_was_never_wrong(
    gate: LoginGate, clock: Clock
) -> None:
    attack(gate)
    refused = refusal(gate, "192.0.2.7")
    assert refused.reason == "account"
    assert 0 < refused.retry_after <= ACCOUNT_PAUSE
    clock.now += ACCOUNT_PAUSE + 1
    gate.charge(Attempt(OWNER, "192.0.2.7")).give_back()


def test_an_attacker_waits_twice_as_long_after_each_wrong_password(
    gate: LoginGate, clock: Clock
) -> None:
    attack(gate)
    waits = []
    for _ in range(4):
        clock.now += refusal(gate, "10.0.1.1").retry_after + ACCOUNT_PAUSE + 1
        wrong(gate, "10.0.1.1")
        clock.now += ACCOUNT_PAUSE + 1
        waits.append(refusal(gate, "10.0.1.1").retry_after + ACCOUNT_PAUSE + 1)
    assert waits == [2 * FIRST_DELAY, 4 * FIRST_DELAY, 8 * FIRST_DELAY, 16 * FIRST_DELAY]


def test_fifty_attackers_who_never_stop_leave_room_for_the_owner(
    gate: LoginGate, clock: Clock
) -> None:
    """The attackers ask each second, before the owner, who asks as the answer tells."""
    tried, waited, again_at = 0, 0.0, clock.now + 300
    began = clock.now
    while clock.now < began + WINDOW - 60:
        for number in range(50):
            try:
                wrong(gate, f"10.1.{number}.1")
            except TooManyLogins:
                continue
            tried += 1
        if clock.now >= again_at:
            try:
                gate.charge(Attempt(OWNER, "192.0.2.7")).give_back()
            except TooManyLogins as refused:
                again_at = clock.now + refused.retry_after
            else:
                waited = clock.now - began - 300
                break
        clock.now += 1
    assert 0 <= waited <= 60
    assert tried <= MOST_OF_ACCOUNT + (clock.now - began) / ACCOUNT_PAUSE + 1


def test_a_known_device_passes_whatever_others_do(gate: LoginGate) -> None:
    attack(gate)
    for number in range(MOST_OF_ALL - MOST_OF_ACCOUNT):
        wrong(gate, f"10.2.{number % 250}.{number // 250}", f"nobody{number}@example.org")
    refusal(gate, "192.0.2.7")
    gate.charge(Attempt(OWNER, "10.0.0.1", device="owners")).give_back()


def test_a_known_device_has_a_limit_of_its_own(gate: LoginGate) -> None:
    for _ in range(MOST_BY_DEVICE):
        wrong(gate, "10.0.0.1", device="stolen")
    with pytest.raises(TooManyLogins) as caught:
        gate.charge(Attempt(OWNER, "10.0.0.1", device="stolen"))
    assert caught.value.reason == "device"


def test_all_logins_together_are_slowed_down_and_not_stopped(gate: LoginGate, clock: Clock) -> None:
    for number in range(MOST_OF_ALL):
        wrong(gate, f"10.2.{number % 250}.{number // 250}", f"nobody{number}@example.org")
    gate.charge(Attempt(OWNER, "192.0.2.7"))
    assert refusal(gate, "192.0.2.8").reason == "all"
    clock.now += 2
    gate.charge(Attempt(OWNER, "192.0.2.8"))


def test_counts_end(gate: LoginGate, clock: Clock) -> None:
    for _ in range(MOST_BY_ADDRESS):
        wrong(gate, "10.0.0.1")
    clock.now += WINDOW + 1
    gate.charge(Attempt(OWNER, "10.0.0.1"))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("", ""),
        ("no address", "no address"),
    ],
)
def test_one_client_is_one_network(address: str, network: str) -> None:
    assert network_of(address) == network


def test_few_hashes_run_at_once_and_few_logins_wait() -> None:
    slots = HashSlots(at_once=1, waiting=1)
    with slots.slot():
        with pytest.raises(TooManyLogins) as caught, slots.slot(longest_wait=0.01):
            pass
        assert (caught.value.reason, caught.value.retry_after) == ("busy", 2)
    with slots.slot(longest_wait=0):
        pass


def test_a_login_that_finds_no_place_to_wait_is_sent_away_at_once() -> None:
    slots = HashSlots(at_once=1, waiting=0)
    began = monotonic()
    with slots.slot(), pytest.raises(TooManyLogins), slots.slot(longest_wait=5):
        pass
    assert monotonic() - began < 4


def code_refusal(gate: LoginGate, address: str = "192.0.2.7") -> TooManyLogins:
    with pytest.raises(TooManyLogins) as caught:
        gate.charge_code(Attempt(OWNER, address))
    return caught.value


def test_an_account_has_a_number_of_wrong_codes_in_a_quarter_of_an_hour_and_in_a_day(
    gate: LoginGate, clock: Clock
) -> None:
    (short, few), (long, many) = sorted(CODES.items())
    tried = 0
    while tried < many:
        for _ in range(few):
            gate.charge_code(Attempt(OWNER, f"10.0.{tried}.1")).spend()
            tried += 1
        refused = code_refusal(gate)
        assert refused.reason == "code"
        assert 0 < refused.retry_after <= (long if tried == many else short)
        clock.now += short + 1
    assert code_refusal(gate).retry_after > short
    clock.now += long
    gate.charge_code(Attempt(OWNER, "192.0.2.7"))


def test_right_codes_cost_nothing(gate: LoginGate) -> None:
    for _ in range(3 * max(CODES.values())):
        gate.charge_code(Attempt(OWNER, "10.0.0.1")).give_back()


def test_strangers_with_wrong_passwords_do_not_delay_a_code(gate: LoginGate) -> None:
    attack(gate)
    gate.charge_code(Attempt(OWNER, "192.0.2.7"))


def test_an_address_has_a_number_of_wrong_codes_for_all_accounts(gate: LoginGate) -> None:
    for number in range(MOST_BY_ADDRESS):
        gate.charge_code(Attempt(f"victim{number}@example.org", "10.0.0.1")).spend()
    assert code_refusal(gate, "10.0.0.1").reason == "address"
    gate.charge_code(Attempt(OWNER, "10.0.0.1", "a device of the account"))
