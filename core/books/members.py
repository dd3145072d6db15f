"""Who a member is: the value behind the row, how one is named in a request, and where they live.

Every member-scoped table begins with ``bucket, member_id``; the bucket is a stable hash of the id, so that
one transaction of one member stays on one shard of a distributed database.
"""

import hashlib
import os
import time
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from struct import Struct
from threading import Lock
from typing import Any, Final, NamedTuple, NewType

from core.errors import MemberFrozen, MemberNotActive

MemberId = NewType("MemberId", str)

BUCKETS: Final = 1024


class MemberStatus(StrEnum):
    """What a member may do at present. One who is frozen for earning or spending only is active."""

    ACTIVE = "active"
    FROZEN = "frozen"
    CLOSED = "closed"


class Frozen(StrEnum):
    """What a freeze stops."""

    EARNING = "earning"
    SPENDING = "spending"
    BOTH = "both"


class TierCause(StrEnum):
    """Why a member came to a tier."""

    ENROLMENT = "enrolment"
    EARNED = "earned"
    REVIEW = "review"
    TAKEN_BACK = "taken_back"
    OPERATOR = "operator"
    CHANNEL = "channel"
    MERGER = "merger"
    PROGRAMME = "programme"


class Member(NamedTuple):
    """One member of the programme. ``tier_changes`` numbers the member's tier history, from 1.

    ``tier_from`` is when the period began in which the tier is to be kept, ``tier_review_at`` when it is judged, and
    ``tier_due_at`` when something is to be done about it next: see ``core.ladder.standing``.
    Until ``tier_lock_until`` nothing puts the member below the tier ``tier_lock``. ``frozen`` is what is stopped until
    ``frozen_until``, or until somebody lets it go on. Who was ``merged_into`` another is closed, and all that there was
    is the other's. Of who was erased nothing personal is known any more.
    """

    id: MemberId
    external_id: str
    status: str
    tier: str
    tier_since: datetime
    tier_changes: int
    birthday: date | None
    attributes: Mapping[str, Any]
    enrolled_at: datetime
    tier_lock: str | None = None
    tier_lock_until: datetime | None = None
    frozen: str | None = None
    frozen_until: datetime | None = None
    merged_into: str | None = None
    erased_at: datetime | None = None
    tier_from: datetime | None = None
    tier_review_at: datetime | None = None
    tier_due_at: datetime | None = None

    def at(self, now: datetime) -> "Member":
        """The member as of then: a freeze whose time is over is none, whether or not anybody has written that down."""
        if self.frozen_until is None or now < self.frozen_until:
            return self
        status = MemberStatus.ACTIVE if self.status == MemberStatus.FROZEN else self.status
        return self._replace(status=status, frozen=None, frozen_until=None)

    def may(self, what: Frozen) -> bool:
        """Whether the member may earn, or spend, whichever is asked."""
        return self.status == MemberStatus.ACTIVE and self.frozen != what

    def check_may(self, what: Frozen) -> None:
        """Raise MemberNotActive, or MemberFrozen, unless they may."""
        if self.status != MemberStatus.ACTIVE:
            raise MemberNotActive(status=self.status)
        if self.frozen == what:
            raise MemberFrozen(frozen=what, frozen_until=self.frozen_until)


class TierChange(NamedTuple):
    """A step of a member's tier history, numbered from 1; ``former`` is None at enrolment.

    ``version`` is that of the programme whose ladder held, and ``grounds`` what was judged (``core.ladder.grounds``),
    where criteria were. Neither is known of what happened before they were kept.
    """

    number: int
    former: str | None
    tier: str
    operation_id: str
    at: datetime
    cause: str = TierCause.EARNED
    version: int | None = None
    grounds: Mapping[str, Any] | None = None


class MemberTag(NamedTuple):
    """A tag that the member has (``held``) or had from a source, since when, and ``until`` when at most."""

    tag: str
    source: str
    held: bool
    since: datetime
    until: datetime | None
    operation_id: str

    def holds(self, now: datetime) -> bool:
        """Whether the member has it, whether or not anybody has written down that it is over."""
        return self.held and (self.until is None or now < self.until)


class ById(NamedTuple):
    """A member named by Laurel's id."""

    id: str


class ByExternalId(NamedTuple):
    """A member named by the brand's own id."""

    external_id: str


MemberRef = ById | ByExternalId


@lru_cache(maxsize=65_536)
def bucket_of(member_id: str) -> int:
    """The member's bucket, 0 to 1023, the same on every machine and for ever."""
    return int.from_bytes(hashlib.blake2b(member_id.encode(), digest_size=2).digest()) % BUCKETS


_last_v7 = 0
_v7_lock = Lock()
_RANDOM_AT_ONCE: Final = Struct("512Q")
_random: list[int] = []
# They are left to the process that has got them.
os.register_at_fork(after_in_child=_random.clear)


def new_id() -> str:
    """A UUIDv7 (RFC 9562) as text, greater than every one this process made before."""
    global _last_v7
    with _v7_lock:
        if not _random:
            # The system is asked for many at once, as that takes longer than all else here.
            _random.extend(_RANDOM_AT_ONCE.unpack(os.urandom(_RANDOM_AT_ONCE.size)))
        random = _random.pop()
        # 48 bits of milliseconds and 12 of a count that begins at random, below its half to leave room. In the
        # same millisecond, or after the clock went back, the count goes on and carries into the time.
        begun = time.time_ns() // 1_000_000 << 12 | _random.pop() >> 53
        _last_v7 = high = max(begun, _last_v7 + 1)
    timed, drawn = f"{high:015x}", f"{0b10 << 62 | random >> 2:016x}"
    return f"{timed[:8]}-{timed[8:12]}-7{timed[12:]}-{drawn[:4]}-{drawn[4:]}"
