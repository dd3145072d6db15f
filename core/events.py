"""What has happened to a member, as an operation tells it: to reactions at once, to everybody else after the commit."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

MEMBER_ENROLLED: Final = "member.enrolled"
TIER_CHANGED: Final = "tier.changed"
TRANSACTION_REVERSED: Final = "transaction.reversed"


class Event(NamedTuple):
    """A fact in the past tense. ``name`` is ``noun.happened``; ``payload`` is plain JSON."""

    name: str
    payload: Mapping[str, Any]


class Outgoing(NamedTuple):
    """An event in the outbox, to be delivered after the commit, at least once; consumers know it again by ``id``."""

    id: str
    name: str
    payload: Mapping[str, Any]
    recorded_at: datetime
