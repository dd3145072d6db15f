"""The core's own operations that are judged anew: who enrolled, what is known of them, what an operator decided.

What is known of a member is what is known now: former values are not kept.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from core.books.members import Member
from core.channels.corrections import ExtendPoints, ReverseTransaction
from core.engine.operations import Operation
from core.ladder.reviews import SetTier
from core.people.membership import EnrolMember, UpdateMember
from core.simulating.anew import Anew, Past
from core.store.dialect import Reader
from core.store.questions import Rows
from core.telling.events import TRANSACTION_REVERSED

MEMBERSHIP: Final = "membership"
LEDGER: Final = "ledger"
_MOMENT: Final = timedelta(seconds=1)

UNDONE: Final = frozenset({("ledger", "expire"), ("ledger", "time_out"), ("tiers", "review"), ("tiers", "adopt")})
"""What comes about by itself: what lapses, and what is due for a tier."""


async def _members(reader: Reader, past: Sequence[Past]) -> dict[str, Member]:
    keys = sorted({(each.bucket, each.member_id) for each in past})
    found = await Rows(Member, ("bucket", "id")).answer(reader, keys)
    return {rows[0].id: rows[0] for rows in found.values()}


async def _of_membership(reader: Reader, past: Sequence[Past]) -> Mapping[str, Operation]:
    members = await _members(reader, past)
    made: dict[str, Operation] = {}
    for each in past:
        member = members[each.member_id]
        known: dict[str, Any] = {"birthday": member.birthday, "attributes": member.attributes}
        if each.kind == UpdateMember.kind:
            made[each.id] = UpdateMember(**each.asked, **known)
            continue
        at_once = abs(member.enrolled_at - each.effective_at) < _MOMENT
        made[each.id] = EnrolMember(**each.asked, **known, enrolled_at=None if at_once else member.enrolled_at)
    return made


async def _of_ledger(_: Reader, past: Sequence[Past]) -> Mapping[str, Operation]:
    made: dict[str, Operation] = {}
    for each in past:
        result = each.result
        if each.kind == ExtendPoints.kind:
            made[each.id] = ExtendPoints(
                **each.asked,
                expires_on=date.fromisoformat(result["expires_on"]),
                reason=each.reason,
                lots=tuple(result["lots"]),
                unit=result["unit"],
            )
            continue
        told = [event for event in result.get("events", ()) if event["name"] == TRANSACTION_REVERSED]
        if not told or not told[0]["whole"]:
            continue  # of a part it is known what it moved, and that is carried over
        made[each.id] = ReverseTransaction(**each.asked, transaction=result["transaction"], reason=each.reason)
    return made


async def _of_tiers(reader: Reader, past: Sequence[Past]) -> Mapping[str, Operation]:
    members = await _members(reader, past)
    made: dict[str, Operation] = {}
    for each in past:
        member, tier = members[each.member_id], each.result["tier"]
        until = member.tier_lock_until if member.tier_lock == tier else None
        if until is not None and until <= each.effective_at:
            until = None
        made[each.id] = SetTier(**each.asked, tier=tier, reason=each.reason, until=until)
    return made


OWN: Final[Sequence[Anew]] = (
    Anew(channel=MEMBERSHIP, kinds=frozenset({EnrolMember.kind, UpdateMember.kind}), make=_of_membership),
    Anew(channel=LEDGER, kinds=frozenset({ReverseTransaction.kind, ExtendPoints.kind}), make=_of_ledger),
    Anew(channel=SetTier.channel, kinds=frozenset({SetTier.kind}), make=_of_tiers),
)
