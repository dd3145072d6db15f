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
from threading import Lock
from typing import Any, Final, NamedTuple, NewType
from uuid import UUID

MemberId = NewType("MemberId", str)

BUCKETS: Final = 1024


class MemberStatus(StrEnum):
    """What a member may do at present."""

    ACTIVE = "active"
    FROZEN = "frozen"
    CLOSED = "closed"


class Member(NamedTuple):
    """One member of the programme. ``tier_changes`` numbers the member's tier history, from 1."""

    id: MemberId
    external_id: str
    status: str
    tier: str
    tier_since: datetime
    tier_changes: int
    birthday: date | None
    attributes: Mapping[str, Any]
    enrolled_at: datetime


class TierChange(NamedTuple):
    """A step of a member's tier history, numbered from 1; ``former`` is None at enrolment."""

    number: int
    former: str | None
    tier: str
    operation_id: str
    at: datetime


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


def new_id() -> str:
    """A UUIDv7 (RFC 9562) as text, greater than every one this process made before."""
    global _last_v7
    with _v7_lock:
        stamp = (time.time_ns() // 1_000_000 & (1 << 48) - 1) << 80
        value = stamp | 0x7 << 76 | int.from_bytes(os.urandom(9)) & (1 << 74) - 1 | 0x2 << 62
        if value >> 62 <= _last_v7 >> 62:
            # Same millisecond, or the clock went back: count on in the 12 bits after the version
            # and carry into the time, keeping version and variant where they are.
            time_and_seq = ((_last_v7 >> 80) << 12 | (_last_v7 >> 64) & 0xFFF) + 1
            value = (
                (time_and_seq >> 12) << 80
                | 0x7 << 76
                | (time_and_seq & 0xFFF) << 64
                | 0x2 << 62
                | value & (1 << 62) - 1
            )
        _last_v7 = value
    return str(UUID(int=value))
