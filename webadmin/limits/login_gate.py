"""Which login may try a password now. Wrong passwords lead to delays, never to a lock-out.

A login is counted before its password is judged, and the count is given back where the password
was right or was not judged at all: of 100 logins at once, no more passwords are tried than of 100
in a row. Counts end `WINDOW` seconds after their first login.

    a known device       `MOST_BY_DEVICE` wrong passwords, whatever others do
    an address           `MOST_BY_ADDRESS` wrong passwords, for all accounts together
    an account           `MOST_OF_ACCOUNT` wrong passwords from unknown devices. Then one password
                         per `ACCOUNT_PAUSE`, and an address that was wrong waits `FIRST_DELAY`
                         seconds, doubled by each wrong password: an owner with a new device comes
                         in between the attackers, who delay themselves
    all logins           `MOST_OF_ALL` wrong passwords, then one per `ALL_PAUSE`

A code of the second step counts for its address, and for its account as `CODES` says: six digits
are guessed sooner than a password. Only who has the password comes so far, so that strangers cannot
use up these counts.

Addresses of IPv6 count by their network of 64 bits, since one customer has a whole one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from scheduler.clock import utc_now
from webadmin.counting.counters import Counters, Storage
from webadmin.counting.names import network_of, short_digest
from webadmin.limits.too_many import TooManyLogins

WINDOW = 15 * 60
MOST_BY_ADDRESS = 20
MOST_BY_DEVICE = 20
MOST_OF_ACCOUNT = 20
MOST_OF_ALL = 300
ACCOUNT_PAUSE = 5
ALL_PAUSE = 1
FIRST_DELAY = 15
CODES = {15 * 60: 10, 24 * 3600: 50}
"""Most wrong codes of an account, by the seconds in which they count."""

TITLE = "Too many wrong logins"


@dataclass(frozen=True)
class Attempt:
    """A login before its password is judged.

    `address` is the client's network address; `device` identifies a known device of the account,
    None for an unknown one.
    """

    account: str
    address: str
    device: str | None = None


@dataclass
class Charge:
    """The counts of an attempt: given back by `give_back`, or made final by `spend`."""

    counters: Counters
    additions: list[tuple[str, int, Storage]] = field(default_factory=list)
    on_wrong: list[Callable[[], object]] = field(default_factory=list)

    def add(self, key: str, seconds: int) -> int:
        """Add one to a count, and remember it. Returns the new value."""
        value, storage = self.counters.add(key, seconds)
        self.additions.append((key, seconds, storage))
        return value

    def give_back(self) -> None:
        """Take everything back: no wrong password was tried."""
        while self.additions:
            self.counters.give_back(*self.additions.pop())

    def spend(self) -> None:
        """Note a wrong password: the counts stay, and delays begin."""
        for begin_delay in self.on_wrong:
            begin_delay()


class LoginGate:
    """The gate of logins. The clock is read here: counts end by the clock of their storage."""

    def __init__(self, counters: Counters, clock: Callable[[], float] | None = None) -> None:
        self._counters = counters
        self._clock = clock or _seconds_since_1970

    def charge(self, attempt: Attempt) -> Charge:
        """Count an attempt. Returns the charge; raises TooManyLogins for one that has to wait."""
        charge = Charge(self._counters)
        try:
            if attempt.device is not None:
                self._by_device(attempt.device, charge)
            else:
                self._by_stranger(attempt, charge)
        except TooManyLogins:
            charge.give_back()
            raise
        return charge

    def charge_code(self, attempt: Attempt) -> Charge:
        """Count a code of a second step. Returns the charge; raises TooManyLogins."""
        charge = Charge(self._counters)
        try:
            if attempt.device is None:
                self._by_address(attempt, charge)
            for seconds, most in CODES.items():
                key = f"login-code-{seconds}-{short_digest(attempt.account)}"
                if charge.add(key, seconds) > most:
                    left = self._counters.seconds_left(key, self._clock())
                    raise _refusal("code", max(1, left))
        except TooManyLogins:
            charge.give_back()
            raise
        return charge

    def _by_address(self, attempt: Attempt, charge: Charge) -> None:
        network = short_digest(network_of(attempt.address))
        if charge.add(f"login-address-{network}", WINDOW) > MOST_BY_ADDRESS:
            raise _refusal("address", WINDOW)

    def _by_device(self, device: str, charge: Charge) -> None:
        if charge.add(f"login-device-{short_digest(device)}", WINDOW) > MOST_BY_DEVICE:
            raise _refusal("device", WINDOW)

    def _by_stranger(self, attempt: Attempt, charge: Charge) -> None:
        self._by_address(attempt, charge)
        network = short_digest(network_of(attempt.address))
        account = short_digest(attempt.account)
        pair = f"{account}-{network}"
        wrong_here = charge.add(f"login-pair-{pair}", WINDOW)
        wrong = charge.add(f"login-account-{account}", WINDOW)
        in_all = charge.add("login-all", WINDOW)
        delay = min(WINDOW, FIRST_DELAY * 2 ** min(wrong_here - 1, 10))
        charge.on_wrong.append(lambda: self._counters.add(f"login-delay-{pair}", delay))
        if wrong >= MOST_OF_ACCOUNT:
            pause = f"login-pause-{account}"
            charge.on_wrong.append(lambda: self._counters.add(pause, ACCOUNT_PAUSE))
        if wrong > MOST_OF_ACCOUNT:
            self._refuse_while(f"login-delay-{pair}", "account")
            self._take_turn(f"login-pause-{account}", ACCOUNT_PAUSE, "account")
        if in_all > MOST_OF_ALL:
            self._take_turn("login-pause-all", ALL_PAUSE, "all")

    def _refuse_while(self, key: str, reason: str) -> None:
        left = self._counters.seconds_left(key, self._clock())
        if left > 0:
            raise _refusal(reason, left)

    def _take_turn(self, key: str, seconds: int, reason: str) -> None:
        if self._counters.add(key, seconds).value > 1:
            left = self._counters.seconds_left(key, self._clock())
            raise _refusal(reason, max(1, left))


def _seconds_since_1970() -> float:
    return utc_now().timestamp()


def _refusal(reason: str, seconds: int) -> TooManyLogins:
    texts = {
        "address": "They came from the address from which this login comes.",
        "device": "They came from this device.",
        "account": "Somebody tries passwords of this account. It is not locked.",
        "code": "They had the password of this account, and wrong codes of its second factor.",
        "all": "Somebody tries passwords here.",
    }
    return TooManyLogins(TITLE, texts[reason], retry_after=seconds, reason=reason)
