"""Approvals of calls of jobs for administrators: a mark that the worker checks. Pure.

Whoever writes to Redis writes any schedule and any message there, with any name and role in it. So
the process that has judged a person's role signs the call: HMAC-SHA256, with a key derived from
`BEATDESK_SECRET_KEY`, over job, arguments and the schedule's id. Only jobs for administrators
(`least_role="admin"`) need the mark; without the key nobody can make one.

An approval says that an administrator wanted this call at the time. It stays valid when the
administrator leaves, and it can be used again: a message may be sent twice.
"""

import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

LENGTH = 64
"""Characters of an approval: a digest in hexadecimal digits."""

_PURPOSE = b"beatdesk: approval of a call, version 1"
_SAVE_AGAIN = (
    "save the schedule again, or start the run, as an administrator or by `beatdesk` on the machine"
)


class Call(NamedTuple):
    """What an approval covers. `schedule_uid` is None for a run without a schedule."""

    job: str
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    schedule_uid: str | None = None

    def is_equal(self, other: "Call") -> bool:
        """Whether two calls are equal in a message, where tuples are lists."""
        return _text_of(self) == _text_of(other)


class Approvals:
    """Approvals by one key. Without a key nothing is approved, and no approval is valid."""

    def __init__(self, secret_key: str | None) -> None:
        """`secret_key` is `BEATDESK_SECRET_KEY`, which all processes share; None without one."""
        self._key = (
            None
            if secret_key is None
            else hmac.digest(secret_key.encode("utf-8", "surrogatepass"), _PURPOSE, sha256)
        )

    def approve(self, call: Call) -> str | None:
        """Return the approval of a call; None without a key."""
        if self._key is None:
            return None
        return hmac.digest(self._key, _text_of(call), sha256).hex()

    def needed(
        self, call: Call, least_roles: Callable[[set[str]], Mapping[str, str]]
    ) -> str | None:
        """Return the approval of a call whose actor has been judged; None where it needs none.

        `least_roles` returns the least role of each job in the catalogue. A missing job may need
        an approval.
        """
        is_admins = least_roles({call.job}).get(call.job, "admin") == "admin"
        return self.approve(call) if is_admins else None

    def fault_in(self, approval: str | None, call: Call) -> str | None:
        """Return why a call for administrators may not run, with the remedy; None if approved."""
        if self._key is None:
            return (
                f"the job {call.job} is for administrators, and this worker has no "
                "BEATDESK_SECRET_KEY to check who wanted the run; give it the console's"
            )
        if approval is None:
            return (
                f"the job {call.job} is for administrators, and none has approved this call; "
                f"{_SAVE_AGAIN}"
            )
        if hmac.compare_digest(approval.encode(), (self.approve(call) or "").encode()):
            return None
        return (
            f"the job {call.job} is for administrators, and its approval is not for this call, or "
            f"from a process with another BEATDESK_SECRET_KEY; {_SAVE_AGAIN}"
        )


NO_APPROVALS = Approvals(None)
"""Approvals of a process without a key."""


def _text_of(call: Call) -> bytes:
    """The call as bytes that are equal for equal calls, before and after a message."""
    parts = [call.job, call.schedule_uid or "", list(call.args), dict(call.kwargs)]
    as_received = json.loads(json.dumps(parts, default=str))  # keys become texts in a message
    return json.dumps(as_received, sort_keys=True, separators=(",", ":")).encode()
