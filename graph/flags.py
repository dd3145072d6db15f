"""Flags in the schema: what looks suspicious, and what somebody who has looked decides."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Annotated, Any

import strawberry
from strawberry import ID

from core.books.lots import Lot as LotValue
from core.books.members import ById, Frozen, bucket_of
from core.engine.operations import Outcome
from core.trust import flags
from core.trust.reviewing import WAITING, DecideFlag
from core.units import POINTS
from graph.context import Info
from graph.filters import InstantFilter, TextFilter, enum_is, instant_is, text_is
from graph.ids import InvalidId, Node, global_id, parts_of
from graph.member import FreezeScope, Member, MemberByInput, find_member
from graph.pages import Connection, Order, Page, Where, newest, oldest, page_of_all, paged, sliced
from graph.payload import Payload, perform
from graph.permissions import actor, caller_of, mutation, query
from graph.scalars import Points
from graph.tokens import Role
from graph.transaction import Lot, Transaction

_READERS = frozenset({Role.OPERATOR, Role.ANALYST})


@strawberry.enum
class FlagState(Enum):
    """Where a flag stands."""

    OPEN = strawberry.enum_value("open", description="Somebody has still to look.")
    CLEARED = strawberry.enum_value("cleared", description="Somebody has looked, and nothing was wrong.")
    CONFIRMED = strawberry.enum_value("confirmed", description="Somebody has looked, and something was wrong.")


@strawberry.enum
class FlagDecision(Enum):
    """What somebody who has looked decides."""

    CLEAR = strawberry.enum_value(
        "cleared", description="Nothing was wrong: what was held back can be spent, and lasts as long as it waited."
    )
    CONFIRM = strawberry.enum_value("confirmed", description="Something was wrong: what was held back is taken.")


@strawberry.enum
class FlagOrder(Enum):
    """In which order flags are listed."""

    RAISED_AT_ASC = strawberry.enum_value("raised_at_asc", description="The one that has waited longest first.")
    RAISED_AT_DESC = strawberry.enum_value("raised_at_desc", description="The latest first.")

    @property
    def order(self) -> Order:
        # Ids are made in the order of time.
        return newest("id") if self is FlagOrder.RAISED_AT_DESC else oldest("id")


@strawberry.input
class FlagStateFilter:
    """Which states are wanted."""

    eq: FlagState | None = strawberry.field(default=None, description="This one.")
    in_: list[FlagState] | None = strawberry.field(default=None, name="in", description="One of these.")


@strawberry.input
class FlagsFilter:
    """Which flags to list. Everything given must hold."""

    state: FlagStateFilter | None = strawberry.field(default=None, description="Where they stand.")
    channel: TextFilter | None = strawberry.field(default=None, description="The channel.")
    member: MemberByInput | None = strawberry.field(default=None, description="The member.")
    raised_at: InstantFilter | None = strawberry.field(default=None, description="When they were raised.")

    async def where(self, info: Info) -> list[Where]:
        """The conditions in SQL. Raises InvalidValue."""
        where = [
            *(enum_is("state", self.state.eq, self.state.in_) if self.state is not None else ()),
            *text_is("channel", "channel", self.channel),
            *instant_is("raised_at", self.raised_at),
        ]
        if self.member is not None:
            member = await find_member(info, self.member)
            # Of a member who is not there nothing can be listed.
            member_id = member.member_id if member is not None else "nobody"
            where.append(Where("bucket = ? AND member_id = ?", (bucket_of(member_id), member_id)))
        return where


@strawberry.type
class Flag(Node):
    """A member was active in a channel more often than the programme expects, and somebody is to look at it."""

    channel: str = strawberry.field(description="The channel.")
    more_than: int = strawberry.field(description="How often is too often if it is more.")
    within_minutes: int = strawberry.field(description="Within how many minutes.")
    holds: bool = strawberry.field(
        description="Whether what was earned beyond it cannot be spent until somebody has looked."
    )
    state: FlagState = strawberry.field(description="Where it stands.")
    raised_at: datetime = strawberry.field(description="When it was raised.")
    decided_at: datetime | None = strawberry.field(description="When it was decided; null while it is open.")
    decided_by: str | None = strawberry.field(description="Who decided it: operator:eve; null while it is open.")
    reason: str | None = strawberry.field(description="Why it was decided so; null while it is open.")
    _member_id: strawberry.Private[str]
    _value: strawberry.Private[flags.Flag]

    @classmethod
    def of(cls, member_id: str, value: flags.Flag) -> "Flag":
        return cls(
            id=global_id("Flag", member_id, value.number),
            channel=value.channel,
            more_than=value.more_than,
            within_minutes=value.within_minutes,
            holds=value.holds,
            state=FlagState(value.state),
            raised_at=value.raised_at,
            decided_at=value.decided_at,
            decided_by=value.decided_by,
            reason=value.reason,
            _member_id=member_id,
            _value=value,
        )

    @classmethod
    async def find(cls, info: Info, member_id: str, number: int) -> "Flag | None":
        """A member's flag by its number."""
        found: list[flags.Flag] = await info.context.loaders.rows(flags.Flag, member_id, number=number)
        return cls.of(member_id, found[0]) if found else None

    @classmethod
    async def resolve_node(cls, info: Info, *parts: str) -> "Flag | None":
        role = caller_of(info).role
        match parts:
            case (member_id, number) if (role in _READERS or role is Role.ADMIN) and _is_number(number):
                return await cls.find(info, member_id, int(number))
            case _:
                return None

    @strawberry.field
    async def member(self, info: Info) -> Member | None:
        """The member."""
        return await Member.find(info, self._member_id)

    @strawberry.field
    @paged
    async def transactions(self, info: Info, page: Page) -> Connection[Transaction]:
        """The transactions in question, the first first."""
        ids = sliced(self._place("transactions"), [(id, id) for id in self._value.operations], page)
        found = await asyncio.gather(*(Transaction.find(info, self._member_id, id) for id in ids.nodes))
        return ids.of([one for one in found if one is not None])

    @strawberry.field
    @paged
    async def lots(self, info: Info, page: Page) -> Connection[Lot]:
        """What was held back, as it is now; empty where the rule only asks that somebody looks."""
        keyed = [(f"{held.unit}:{held.seq}", held) for held in self._value.held_lots]
        held = sliced(self._place("lots"), keyed, page)
        rows = await asyncio.gather(
            *(info.context.loaders.rows(LotValue, self._member_id, unit=lot.unit, seq=lot.seq) for lot in held.nodes)
        )
        return held.of([Lot.of(self._member_id, found[0], info.context.now) for found in rows])

    @strawberry.field
    async def points_held(self, info: Info) -> Points:
        """How many points cannot be spent until it is decided; 0 when it was."""
        if self.state is not FlagState.OPEN or not self._value.lots:
            return Points(0)
        waiting: list[LotValue] = await info.context.loaders.rows(LotValue, self._member_id, WAITING)
        ours = {lot.seq for lot in self._value.held_lots if lot.unit == POINTS}
        return Points(sum(lot.remaining for lot in waiting if lot.unit == POINTS and lot.seq in ours))

    def _place(self, list_: str) -> str:
        return f"flag:{self._member_id}:{self._value.number}:{list_}"


@strawberry.input
class DecideFlagInput:
    """What somebody who has looked decides."""

    flag: ID = strawberry.field(description="The flag's id.")
    decision: FlagDecision = strawberry.field(description="Whether something was wrong.")
    reason: str = strawberry.field(description="Why, 3 to 1000 characters. It is kept with the flag.")
    freeze: FreezeScope | None = strawberry.field(
        default=None, description="With CONFIRM: what the member cannot do from now on; nothing if left out."
    )
    freeze_until: datetime | None = strawberry.field(
        default=None, description="From when the freeze is over by itself; never if left out. Not in the past."
    )
    forfeit: bool = strawberry.field(
        default=False,
        description="With CONFIRM: whether all that the transactions in question gave is taken back, and not only what "
        "was held back.",
    )
    idempotency_key: str = strawberry.field(
        description="A key of your own for this request, 1 to 200 characters: sent again with the same key it is not "
        "performed again, and answered as before."
    )


@strawberry.type
class DecideFlagPayload(Payload):
    """What became of a decision."""

    flag: Flag | None = strawberry.field(default=None, description="The flag as it is now; null when it was refused.")
    released: Points | None = strawberry.field(
        default=None, description="How many points can be spent from now on; null when it was refused."
    )
    forfeited: Points | None = strawberry.field(
        default=None, description="How many points were asked back; null when it was refused."
    )


@strawberry.type
class FlagQueries:
    """What can be asked about flags."""

    @query(allow=_READERS)
    @paged
    async def flags(
        self,
        info: Info,
        page: Page,
        filter: Annotated[FlagsFilter | None, strawberry.argument(description="Which ones; all if left out.")] = None,
        order_by: Annotated[FlagOrder, strawberry.argument(description="In which order.")] = FlagOrder.RAISED_AT_ASC,
    ) -> Connection[Flag]:
        """What looks suspicious, and what was decided about it; the one that has waited longest first."""
        where = [] if filter is None else await filter.where(info)
        return await page_of_all(info, flags.Flag, Flag.of, page, order_by.order, where)


@strawberry.type
class FlagMutations:
    """What operators decide about flags."""

    @mutation(allow={Role.OPERATOR})
    async def decide_flag(self, info: Info, input: DecideFlagInput) -> DecideFlagPayload:
        """Clear a flag or confirm it; with a confirmation, freeze the member and take what was gained, at one stroke.

        FLAG_NOT_FOUND, FLAG_ALREADY_DECIDED, MEMBER_FROZEN and MEMBER_NOT_ACTIVE where it freezes, INVALID_INSTANT,
        INVALID_VALUE.
        """
        member_id, number = parts_of(input.flag, "Flag", 2)
        if not _is_number(number):
            raise InvalidId(id=input.flag[:100], expected="Flag")
        operation = DecideFlag(
            member=ById(member_id),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            flag=int(number),
            state=flags.FlagState(str(input.decision.value)),
            reason=input.reason,
            frozen=None if input.freeze is None else Frozen(str(input.freeze.value)),
            until=input.freeze_until,
            forfeit=input.forfeit,
        )
        return await perform(info, operation, DecideFlagPayload, lambda outcome: _decided(info, outcome))


async def _decided(info: Info, outcome: Outcome) -> Mapping[str, Any]:
    assert outcome.member_id is not None
    result = outcome.result
    return {
        "flag": await Flag.find(info, outcome.member_id, result["flag"]),
        "released": Points(result["released"].get(POINTS, 0)),
        "forfeited": Points(result["forfeited"].get(POINTS, 0)),
    }


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
