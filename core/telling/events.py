"""What has happened to a member, as an operation tells it: to reactions at once, to everybody else after the commit."""

from collections.abc import Callable, Container, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeVar

from core.rulebook.rules import Activity

MEMBER_ENROLLED: Final = "member.enrolled"
TIER_CHANGED: Final = "tier.changed"
TIER_AT_RISK: Final = "tier.at_risk"
TIER_GRACE_STARTED: Final = "tier.grace_started"
TIER_RENEWED: Final = "tier.renewed"
MEMBER_UPDATED: Final = "member.updated"
MEMBER_STATUS_CHANGED: Final = "member.status_changed"
TRANSACTION_REVERSED: Final = "transaction.reversed"
TRANSACTION_RECORDED: Final = "transaction.recorded"
"""Told to whoever is to hear of it after the commit, and kept nowhere else: the books as a transaction left them."""
MEMBER_MERGED: Final = "member.merged"
MEMBER_ERASED: Final = "member.erased"
MERGE_SENT: Final = "merge.sent"
MERGE_UNDONE: Final = "merge.undone"
"""Told inside alone: what goes from one member to another, see ``core.people``."""
MERGE_TAKEN: Final = "merge.taken"
MERGE_GIVEN_BACK: Final = "merge.given_back"
"""Told where it has come to, and where it has gone back from. Payload: ``other``, the member at the other end, and
``first`` where a merge begins with it."""
POINTS_EXPIRING: Final = "points.expiring"
POINTS_EXTENDED: Final = "points.extended"
MEMBER_FLAGGED: Final = "member.flagged"
FLAG_DECIDED: Final = "flag.decided"
GAINS_FORFEITED: Final = "gains.forfeited"
REDEMPTION_COST_LEFT_BAND: Final = "redemption_cost.left_band"
REDEMPTION_COST_BACK_IN_BAND: Final = "redemption_cost.back_in_band"
TALLIES_COUNTED: Final = "tallies.counted"
"""Told to reactions alone, and kept nowhere: what an operation has counted. Payload: ``days``, the numbers of the days
(``core.books.tallies``) by the name of the tally."""


class Event(NamedTuple):
    """A fact in the past tense. ``name`` is ``noun.happened``; ``payload`` is plain JSON and is kept.

    ``activity`` is what rules see of it, where there is something; only reactions get it.
    """

    name: str
    payload: Mapping[str, Any]
    activity: Activity | None = None


Reaction = TypeVar("Reaction", bound=Callable[..., Any])

_HEARS: Final = "__laurel_hears__"
_OF_CHANNEL: Final = "__laurel_of_channel__"


def hears(*names: str) -> Callable[[Reaction], Reaction]:
    """Above a ``react`` that looks at the events of these names alone: it is called for no others.

    There are some thirty reactions, and several events of each operation.
    """

    def marked(react: Reaction) -> Reaction:
        setattr(react, _HEARS, frozenset(names))
        return react

    return marked


def of_channel(react: Reaction, channel: str) -> Reaction:
    """The reaction, known to be the channel's: it is called for nothing where no programme ever had that channel."""
    setattr(react, _OF_CHANNEL, channel)
    return react


def is_heard_by(react: Callable[..., Any], name: str, channels: Container[str] | None) -> bool:
    """Whether a reaction is called for events of that name, where there are these channels; None where nobody knows."""
    channel, names = getattr(react, _OF_CHANNEL, None), getattr(react, _HEARS, None)
    return (channel is None or channels is None or channel in channels) and (names is None or name in names)


class Outgoing(NamedTuple):
    """An event in the outbox, once for each ``consumer`` that is to hear it; ``event_id`` is the same for all of them.

    A process that delivers it has it until ``leased_until``, and nobody tries again before. ``dead`` says that it has
    been tried for long enough, ``error`` what the last of the ``tries`` ran into.
    """

    id: str
    name: str
    payload: Mapping[str, Any]
    recorded_at: datetime
    leased_until: datetime | None = None
    consumer: str = ""
    event_id: str = ""
    tries: int = 0
    dead: bool = False
    error: str = ""


class Delivery(NamedTuple):
    """An event as it is told after its commit, at least once: ``id`` tells a repetition.

    What is of the programme and of no member has an empty ``member_id``.
    """

    id: str
    member_id: str
    name: str
    payload: Mapping[str, Any]
    recorded_at: datetime
