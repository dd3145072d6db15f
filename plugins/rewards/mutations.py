"""The store in the schema: what it offers a member, what they have redeemed, and what staff do about it."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, cast

import strawberry

from core.books.figures import BALANCES, Balance, Balances
from core.books.members import ById, Frozen
from core.books.members import Member as MemberValue
from core.books.tallies import Tally
from core.channels.limits import Used, used_of
from core.engine.operations import Outcome
from core.errors import InsufficientPoints, MemberNotFound, Refusal
from core.rulebook.programme import Programme
from core.store.questions import Rows
from core.units import POINTS
from graph.vocabulary import (
    ACTING,
    ID,
    Connection,
    Info,
    Member,
    MemberByInput,
    Node,
    Page,
    Payload,
    Points,
    Role,
    Transaction,
    UserError,
    actor,
    check_text,
    entity,
    find_member,
    global_id,
    may_see,
    mutation,
    newest,
    page_of_member,
    paged,
    parts_of,
    perform,
    query,
    user_error,
)

from .models import RewardCode, RewardOrder, RewardStock
from .operations import CancelReward, DeliverReward, FulfilReward, RedeemReward
from .refusals import RewardNotFound, RewardsNotOffered
from .rules import CHANNEL, Item, RewardsSettings, check_member, check_open, check_stock
from .stock import Delivered, Delivery, check_codes, check_pieces

_KEY = (
    "A key of your own for this request, 1 to 200 characters: sent again with the same key it is not performed again, "
    "and answered as before."
)
_REWARD = "The reward's id in the programme."
_ORDER = "The order's id."
_HANDLING = {Role.SERVICE, Role.OPERATOR}
_STOCKING = {*_HANDLING, Role.PARTNER}
# The names that begin with the channel's and a colon; a pattern's % would be read as a value's place by one driver.
TALLIES = f"name > '{CHANNEL}:' AND name < '{CHANNEL};'"

# -- what is asked ------------------------------------------------------------------------------------


@strawberry.input
class RedeemRewardInput:
    """A reward to spend points on."""

    member: MemberByInput = strawberry.field(description="The member it is about.")
    reward: str = strawberry.field(description=_REWARD)
    quantity: int = strawberry.field(default=1, description="How many, 1 to 50.")
    points: Points | None = strawberry.field(
        default=None, description="What the member was told that it comes to; refused if it comes to something else."
    )
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class FulfilRewardInput:
    """An order that is on its way, or ready."""

    order: ID = strawberry.field(description=_ORDER)
    note: str | None = strawberry.field(default=None, description="What the member should know: the parcel's number.")
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class DeliverRewardInput:
    """An order that the member has received, or a voucher that was used."""

    order: ID = strawberry.field(description=_ORDER)
    note: str | None = strawberry.field(default=None, description="What should be kept with it: who signed for it.")
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class CancelRewardInput:
    """An order to undo."""

    order: ID = strawberry.field(description=_ORDER)
    reason: str = strawberry.field(description="Why, 3 to 1000 characters. It is kept with the transaction.")
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class StockRewardInput:
    """Pieces that have come in."""

    reward: str = strawberry.field(description=_REWARD)
    quantity: int = strawberry.field(description="How many; negative for pieces that are gone.")
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class AddVoucherCodesInput:
    """Codes to hand out, each once, in this order."""

    reward: str = strawberry.field(description=_REWARD)
    codes: list[str] = strawberry.field(description="The codes, 1 to 1000, each of 1 to 64 characters.")
    idempotency_key: str = strawberry.field(description=_KEY)


# -- what is answered ---------------------------------------------------------------------------------


@strawberry.enum
class RewardKind(Enum):
    """What sort of thing a reward is."""

    GOODS = strawberry.enum_value("goods", description="Something to be sent or fetched.")
    VOUCHER = strawberry.enum_value("voucher", description="Something to show at the till.")
    SERVICE = strawberry.enum_value("service", description="Something that is done for the member.")


@strawberry.enum
class RewardOrderStatus(Enum):
    """Where an order stands."""

    REQUESTED = strawberry.enum_value("requested", description="Paid; nobody has seen to it yet.")
    FULFILLED = strawberry.enum_value("fulfilled", description="On its way or ready; a code has been handed over.")
    DELIVERED = strawberry.enum_value("delivered", description="The member has it, or has used it.")
    CANCELLED = strawberry.enum_value("cancelled", description="Undone; the points have been given back.")


@entity("id")
@strawberry.type
class Reward:
    """Something to spend points on, and what it means to a member when one was named."""

    id: ID = strawberry.field(description=_REWARD)
    name: str = strawberry.field(description="Its name.")
    kind: RewardKind = strawberry.field(description="What sort of thing it is.")
    category: str | None = strawberry.field(description="The shelf that it stands on.")
    list_price: Points = strawberry.field(description="What one costs.")
    price: Points = strawberry.field(description="What one costs this member, by their tier.")
    opens_at: datetime | None = strawberry.field(description="From when on it can be redeemed; null for always.")
    closes_at: datetime | None = strawberry.field(description="From when on it can not; null for never.")
    tiers: list[str] = strawberry.field(description="The tiers that it is for; empty when for everybody.")
    stock_left: int | None = strawberry.field(description="How many are left; null when they are not counted.")
    limit_left: int | None = strawberry.field(
        description="How many more the member may have; null when there is no limit."
    )
    limit_resets_at: datetime | None = strawberry.field(
        description="When the limit that leaves least begins anew; null when never."
    )
    affordable: bool | None = strawberry.field(
        description="Whether the member has the points for one; null when no member was named."
    )
    refusal: UserError | None = strawberry.field(
        description="Why one could not be redeemed now; null when it could. Another may be faster."
    )

    @classmethod
    async def find_by(cls, info: Info, key: str, value: str) -> "Reward | None":
        """A reward of the programme in force by its id, for another subgraph that refers to one."""
        caller = info.context.caller
        if caller is None or caller.role is Role.PARTNER:
            return None
        programme, settings = await _offered(info)
        item = settings.by_id.get(value)
        if item is None:
            return None
        stock = await stock_left_of(info, [item] if item.counted else [])
        return _reward(info, item, settings, programme, stock, await _visitor(info, None))


@strawberry.type(name="RewardOrder")
class RewardOrderNode(Node):
    """A reward that a member has redeemed."""

    reward: str = strawberry.field(description=_REWARD)
    name: str = strawberry.field(description="The reward's name when it was redeemed.")
    kind: RewardKind = strawberry.field(description="What sort of thing it is.")
    quantity: int = strawberry.field(description="How many.")
    price: Points = strawberry.field(description="What one of them cost.")
    points: Points = strawberry.field(description="What all of them cost.")
    status: RewardOrderStatus = strawberry.field(description="Where it stands.")
    note: str | None = strawberry.field(description="What was noted last: the parcel's number.")
    requested_at: datetime = strawberry.field(description="When it was redeemed.")
    fulfilled_at: datetime | None = strawberry.field(description="When it was fulfilled.")
    delivered_at: datetime | None = strawberry.field(description="When it was delivered.")
    cancelled_at: datetime | None = strawberry.field(description="When it was cancelled.")
    _member_id: strawberry.Private[str]
    _order_id: strawberry.Private[str]
    _codes: strawberry.Private[Sequence[int]]

    @classmethod
    def of(cls, member_id: str, row: Any) -> "RewardOrderNode":
        return cls(
            id=global_id("RewardOrder", member_id, row.order_id),
            reward=row.reward,
            name=row.name,
            kind=RewardKind(row.kind),
            quantity=row.quantity,
            price=Points(row.price),
            points=Points(row.points),
            status=RewardOrderStatus(row.status),
            note=row.note,
            requested_at=row.requested_at,
            fulfilled_at=row.fulfilled_at,
            delivered_at=row.delivered_at,
            cancelled_at=row.cancelled_at,
            _member_id=member_id,
            _order_id=row.order_id,
            _codes=row.codes,
        )

    @classmethod
    async def find(cls, info: Info, member_id: str, order_id: str) -> "RewardOrderNode | None":
        """A member's order by Laurel's id."""
        found = await info.context.loaders.rows(RewardOrder, member_id, order_id=order_id)
        return cls.of(member_id, found[0]) if found else None

    @classmethod
    async def resolve_node(cls, info: Info, *parts: str) -> "RewardOrderNode | None":
        match parts:
            case (member_id, order_id) if may_see(info, member_id):
                return await cls.find(info, member_id, order_id)
            case _:
                return None

    @strawberry.field
    async def codes(self, info: Info) -> list[str]:
        """The codes that were handed over; gone when they went back."""
        question, loaders = Rows(RewardCode, ("reward", "number")), info.context.loaders
        # Side by side, so that they are asked together.
        found = await asyncio.gather(*(loaders.ask(question, (self.reward, number)) for number in self._codes))
        return [row.code for rows in found for row in rows or ()]

    @strawberry.field
    async def transaction(self, info: Info) -> Transaction | None:
        """The transaction that spent the points."""
        return await Transaction.find(info, self._member_id, self._order_id)


_ORDER_NOW = "The order as it is now; null when it was refused."


@strawberry.type
class RedeemRewardPayload(Payload):
    """What became of a redemption."""

    order: RewardOrderNode | None = strawberry.field(default=None, description=_ORDER_NOW)


@strawberry.type
class FulfilRewardPayload(Payload):
    """What became of a fulfilment."""

    order: RewardOrderNode | None = strawberry.field(default=None, description=_ORDER_NOW)


@strawberry.type
class DeliverRewardPayload(Payload):
    """What became of a delivery."""

    order: RewardOrderNode | None = strawberry.field(default=None, description=_ORDER_NOW)


@strawberry.type
class CancelRewardPayload(Payload):
    """What became of a cancellation."""

    order: RewardOrderNode | None = strawberry.field(default=None, description=_ORDER_NOW)


@strawberry.type
class StockRewardPayload:
    """What became of the stock."""

    stock_left: int | None = strawberry.field(
        default=None, description="How many are left after it; null when it was refused."
    )
    replayed: bool = strawberry.field(default=False, description="Whether it had been recorded before.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why it was refused.")


@strawberry.type
class AddVoucherCodesPayload:
    """What became of the codes."""

    stock_left: int | None = strawberry.field(
        default=None, description="How many codes are left after it; null when it was refused."
    )
    replayed: bool = strawberry.field(default=False, description="Whether they had been added before.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why they were refused.")


# -- the fields ---------------------------------------------------------------------------------------


@strawberry.type
class RewardsQueries:
    """What can be asked about the store."""

    @query(allow={*ACTING, Role.ANALYST})
    async def rewards(
        self,
        info: Info,
        member: Annotated[
            MemberByInput | None,
            strawberry.argument(description="For whom; a member's own token asks for its member."),
        ] = None,
        affordable: Annotated[
            bool | None, strawberry.argument(description="Only those that the member has, or has not, the points for.")
        ] = None,
        category: Annotated[str | None, strawberry.argument(description="Only those of this category.")] = None,
    ) -> list[Reward]:
        """The store of the programme in force, in the programme's order; what is not open yet, or gone, included."""
        programme, settings = await _offered(info)
        items = [item for item in settings.items if category is None or item.category == category]
        visitor = await _visitor(info, member)
        stock = await stock_left_of(info, [item for item in items if item.counted])
        found = [_reward(info, item, settings, programme, stock, visitor) for item in items]
        return [reward for reward in found if affordable is None or reward.affordable is affordable]


@strawberry.type
class RewardsMutations:
    """What can be done in the store."""

    @mutation(allow=ACTING)
    async def redeem_reward(self, info: Info, input: RedeemRewardInput) -> RedeemRewardPayload:
        """Spend points on a reward. Codes are handed over at once; everything else waits to be fulfilled."""
        operation = RedeemReward(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            reward=input.reward,
            quantity=input.quantity,
            points=input.points,
        )
        return await perform(info, operation, RedeemRewardPayload, lambda outcome: _order(info, outcome))

    @mutation(allow=_HANDLING)
    async def fulfil_reward(self, info: Info, input: FulfilRewardInput) -> FulfilRewardPayload:
        """Say that an order is on its way, or ready."""
        operation = FulfilReward(**_about(info, input), note=input.note)
        return await perform(info, operation, FulfilRewardPayload, lambda outcome: _order(info, outcome))

    @mutation(allow=_HANDLING)
    async def deliver_reward(self, info: Info, input: DeliverRewardInput) -> DeliverRewardPayload:
        """Say that the member has what was ordered, or has used it. It can no longer be cancelled."""
        operation = DeliverReward(**_about(info, input), note=input.note)
        return await perform(info, operation, DeliverRewardPayload, lambda outcome: _order(info, outcome))

    @mutation(allow=_HANDLING)
    async def cancel_reward(self, info: Info, input: CancelRewardInput) -> CancelRewardPayload:
        """Undo an order: the points go back to the lots that they were taken from, the pieces to the stock."""
        operation = CancelReward(**_about(info, input), reason=input.reason)
        return await perform(info, operation, CancelRewardPayload, lambda outcome: _order(info, outcome))

    @mutation(allow=_STOCKING, capability="stock")
    async def stock_reward(self, info: Info, input: StockRewardInput) -> StockRewardPayload:
        """Add pieces to a reward's stock, or take some away."""
        item = await _item(info, input.reward)
        check_pieces(item, input.quantity)
        done = await _delivered(info, item, input.quantity, (), input.idempotency_key)
        return StockRewardPayload(stock_left=done.stock_left, replayed=done.replayed)

    @mutation(allow=_STOCKING, capability="stock")
    async def add_voucher_codes(self, info: Info, input: AddVoucherCodesInput) -> AddVoucherCodesPayload:
        """Add codes to a voucher's stock: all of them, or none when one of them is not new."""
        item = await _item(info, input.reward)
        check_codes(item, input.codes)
        done = await _delivered(info, item, len(input.codes), input.codes, input.idempotency_key)
        return AddVoucherCodesPayload(stock_left=done.stock_left, replayed=done.replayed)


@strawberry.type
class RewardsMemberFields:
    """What a member has of the store."""

    @strawberry.field
    @paged
    async def reward_orders(self, info: Info, page: Page) -> Connection[RewardOrderNode]:
        """The rewards that the member has redeemed, the newest first."""
        # Fields of Member, so they are resolved with a member as self.
        member_id = cast(Member, self).member_id

        def node(row: Any) -> RewardOrderNode:
            return RewardOrderNode.of(member_id, row)

        return await page_of_member(info, RewardOrder, member_id, node, page, newest("order_id"))


# -- how it is found ----------------------------------------------------------------------------------


class _Visitor:
    """The member who looks at the store: their tier, their points, and what they have had of each reward."""

    def __init__(self, member: MemberValue, available: int, tallies: Sequence[Tally]) -> None:
        self.member = member
        self.available = available
        self._tallies = tallies

    def used(self, item: Item, programme: Programme, now: datetime) -> Used:
        today = now.astimezone(programme.zone).date()
        return used_of((tally for tally in self._tallies if tally.name == item.tally), today)


async def _visitor(info: Info, by: MemberByInput | None) -> _Visitor | None:
    caller = info.context.caller
    if by is not None:
        member = await find_member(info, by)
        if member is None:
            raise MemberNotFound(member=by.id or by.external_id or "")
    elif caller is not None and caller.role is Role.MEMBER:
        member = await Member.find(info, caller.member_id or "")
    else:
        member = None
    if member is None:
        return None
    loaders, now = info.context.loaders, info.context.now
    tallies: list[Tally] = await loaders.rows(Tally, member.member_id, TALLIES)
    found: Balance | None = await loaders.ask(BALANCES, Balances.key(member.member_id, POINTS, now))
    return _Visitor(member._value, found.available if found else 0, tallies)


async def stock_left_of(info: Info, items: Sequence[Item]) -> Mapping[str, int]:
    question = Rows(RewardStock, ("reward",))
    # Side by side, so that they are one statement.
    found = await asyncio.gather(*(info.context.loaders.ask(question, (item.id,)) for item in items))
    return {item.id: rows[0].stock_left if rows else 0 for item, rows in zip(items, found, strict=True)}


def _reward(
    info: Info,
    item: Item,
    settings: RewardsSettings,
    programme: Programme,
    stock: Mapping[str, int],
    visitor: _Visitor | None,
) -> Reward:
    now = info.context.now
    price = settings.price(item, visitor.member.tier if visitor else None, programme)
    left = None
    if visitor is not None:
        today = now.astimezone(programme.zone).date()
        left = item.limits.left(visitor.used(item, programme, now), today, programme.zone)
    refusal = None
    try:
        check_open(item, now)
        if visitor is not None:
            visitor.member.check_may(Frozen.SPENDING)
            check_member(item, visitor.member.tier, 1, left)
            if visitor.available < price:
                raise InsufficientPoints(unit=POINTS, needed=Points(price), available=Points(visitor.available))
        if item.counted:
            check_stock(item, 1, stock[item.id])
    except Refusal as refused:
        refusal = user_error(info, refused)
    return Reward(
        id=ID(item.id),
        name=item.name,
        kind=RewardKind(item.kind),
        category=item.category,
        list_price=Points(item.price),
        price=Points(price),
        opens_at=item.valid.since,
        closes_at=item.valid.until,
        tiers=list(item.tiers),
        stock_left=stock.get(item.id),
        limit_left=left.times if left else None,
        limit_resets_at=left.resets_at if left else None,
        affordable=None if visitor is None else visitor.available >= price,
        refusal=refusal,
    )


async def _offered(info: Info) -> tuple[Programme, RewardsSettings]:
    programme = (await info.context.version()).programme
    settings = programme.channels.get(CHANNEL)
    if settings is None:
        raise RewardsNotOffered(at=info.context.now)
    assert isinstance(settings, RewardsSettings)
    return programme, settings


async def _item(info: Info, reward: str) -> Item:
    _, settings = await _offered(info)
    item = settings.by_id.get(reward)
    if item is None:
        raise RewardNotFound(reward=reward[:64])
    return item


async def _delivered(info: Info, item: Item, quantity: int, codes: Sequence[str], key: str) -> Delivered:
    check_text("idempotencyKey", key)
    done = await Delivery(item, quantity, codes, key, actor(info), info.context.now).record()
    info.context.wrote()
    return done


def _about(info: Info, input: FulfilRewardInput | DeliverRewardInput | CancelRewardInput) -> dict[str, Any]:
    member_id, order_id = parts_of(input.order, "RewardOrder", 2)
    return {
        "member": ById(member_id),
        "idempotency_key": input.idempotency_key,
        "actor": actor(info),
        "order": order_id,
    }


async def _order(info: Info, outcome: Outcome) -> Mapping[str, Any]:
    assert outcome.member_id is not None
    return {"order": await RewardOrderNode.find(info, outcome.member_id, outcome.result["order"])}
