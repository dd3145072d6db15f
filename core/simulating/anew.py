"""What can be judged anew: a channel makes operations again out of what it has kept of those that were performed.

An operation's request is not kept, only its hash; but its result is, and so is what stands in the channel's tables.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from core.books.members import ByExternalId, bucket_of
from core.engine.operations import Operation
from core.engine.work import Work
from core.store.dialect import Reader
from core.units import POINTS

FORGOTTEN: Final = "it is no longer known why"
"""Stands for the reason of what was done to a member who was erased since."""

SHORT: Final = "simulation.short"
"""Told where less could be spent than was spent in truth. It is kept with the operation and nobody hears of it."""


class Past(NamedTuple):
    """An operation that was performed. ``external_id`` is what its member is called now."""

    id: str
    member_id: str
    external_id: str
    channel: str
    kind: str
    idempotency_key: str
    actor: str
    result: Mapping[str, Any]
    reverses: str | None
    effective_at: datetime

    @property
    def bucket(self) -> int:
        return bucket_of(self.member_id)

    @property
    def reason(self) -> str:
        """Why it was done, by its result."""
        return self.result["reason"] or FORGOTTEN

    @property
    def asked(self) -> dict[str, Any]:
        """What the operation that stands for it has of it: who, when, and the same key."""
        return {
            "member": ByExternalId(self.external_id),
            "idempotency_key": self.idempotency_key,
            "actor": self.actor,
            "at": self.effective_at,
        }


Make = Callable[[Reader, Sequence[Past]], Awaitable[Mapping[str, Operation]]]


@dataclass(frozen=True, kw_only=True)
class Anew:
    """How a channel's operations of these ``kinds`` are judged anew.

    ``make`` is given some of them, in the order of time, and makes operations by their ids (``Past.asked`` says what
    is the same for all); one that it leaves out, or of which it raises, is carried over as it was. They keep their ids
    and the ids of their members, so that what names them still does. ``follow`` are kinds that come about by
    themselves when those are performed: what ``after_event`` submits. Nothing of them is carried over.
    """

    channel: str
    kinds: frozenset[str]
    make: Make
    follow: frozenset[str] = field(default_factory=frozenset)


async def spend_what_is_there(work: Work, wanted: int, *, unit: str = POINTS) -> int:
    """Spend as much as there is of what was spent in truth; the rest is counted as no longer redeemable."""
    there = min(wanted, await work.available(unit))
    if there > 0:
        await work.spend(there, unit=unit)
    if there < wanted:
        work.tell(SHORT, unit=unit, points=wanted - max(there, 0))
    return there
