"""What events look like to the outside: webhooks, brokers and carriers of messages get these shapes and no others.

A shape is a promise. It may gain fields; for anything else its ``version`` grows and the old one is told beside it.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from core.channels.orders import ORDER_PAID, ORDER_REFUNDED
from core.rulebook.budgets import BUDGET_EXHAUSTED, BUDGET_LOW
from core.telling.events import (
    FLAG_DECIDED,
    GAINS_FORFEITED,
    MEMBER_ENROLLED,
    MEMBER_ERASED,
    MEMBER_FLAGGED,
    MEMBER_MERGED,
    MEMBER_STATUS_CHANGED,
    MEMBER_UPDATED,
    POINTS_EXPIRING,
    POINTS_EXTENDED,
    REDEMPTION_COST_BACK_IN_BAND,
    REDEMPTION_COST_LEFT_BAND,
    TIER_AT_RISK,
    TIER_CHANGED,
    TIER_GRACE_STARTED,
    TIER_RENEWED,
    TRANSACTION_RECORDED,
    TRANSACTION_REVERSED,
    Delivery,
)
from core.time.clock import rfc3339


class EventData(BaseModel):
    """The ``data`` of an event. Subclasses are its shape; what they don't name of the payload stays inside."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class EventType(NamedTuple):
    """A kind of event: its name (``noun.happened``), the version of its shape, and the shape, which says when.

    Of the programme and of no member it is where ``of_member`` is false.
    """

    name: str
    version: int
    data: type[EventData]
    of_member: bool = True

    @property
    def description(self) -> str:
        """When it is told."""
        return (self.data.__doc__ or "").strip().partition("\n")[0]

    def schema(self) -> dict[str, Any]:
        """The shape of ``data`` as JSON Schema."""
        return self.data.model_json_schema(mode="serialization")

    def message(self, event: Delivery, *, member: Mapping[str, str] | None) -> dict[str, Any]:
        """The event as it is told outside, as plain JSON. ``member`` says whose it is; None for the programme's."""
        data = self.data.model_validate(dict(event.payload)).model_dump(mode="json", by_alias=True)
        return {
            "id": event.id,
            "type": self.name,
            "version": self.version,
            "timestamp": rfc3339(event.recorded_at),
            "member": None if member is None else dict(member),
            "data": data,
        }


class MemberEnrolled(EventData):
    """A member has joined."""

    tier: str = Field(description="The code of the tier in which the member begins; empty without tiers.")


class MemberUpdated(EventData):
    """What is known of a member was changed: the birthday or an attribute."""


class MemberStatusChanged(EventData):
    """A member was frozen, may go on, or was closed."""

    former: str = Field(description="The status before: active, frozen or closed.")
    status: str = Field(description="The status now.")
    reason: str = Field(description="What the operator gave as the reason.")


class MemberMerged(EventData):
    """A member was merged into another, and is closed: all that there was is the other's."""

    into: str = Field(description="Laurel's number of the other member.")


class MemberErased(EventData):
    """A member asked to be forgotten: whoever has kept anything of them should forget it, too."""


class TierChanged(EventData):
    """A member has moved to another tier, up or down."""

    former: str = Field(description="The code of the tier before.")
    tier: str = Field(description="The code of the tier now.")
    cause: str = Field(
        description="Why: earned, review, taken_back, operator, channel (bought, say), merger, programme (another one)."
    )


class TierCriterion(EventData):
    """One of the criteria by which a tier is kept."""

    fact: str = Field(description="What is counted: orders, spend …")
    window: str = Field(description="How far back: 12 months, 30 days, lifetime.")
    current: str = Field(description="What the member has, as decimal text.")
    required: str = Field(description="What is enough to keep the tier.")
    remaining: str = Field(description="What is missing; 0 when the criterion is met.")


class TierAtRisk(EventData):
    """A member will lose the tier on the day of judgement, if nothing more is counted. Told once, some days before."""

    tier: str = Field(description="The code of the tier.")
    falls_to: str = Field(description="The code of the tier to which the member would fall.")
    review_at: datetime = Field(description="When it is judged.")
    mode: str | None = Field(description="Whether all of the criteria are needed, or any of them is enough.")
    criteria: list[TierCriterion] = Field(description="The criteria, as they stand.")


class TierGraceStarted(EventData):
    """A member has not kept the tier, and has some days more for a last spurt."""

    tier: str = Field(description="The code of the tier.")
    falls_to: str = Field(description="The code of the tier to which the member falls otherwise.")
    until: datetime = Field(description="When it is lost, unless the criteria are met before.")
    mode: str | None = Field(description="Whether all of the criteria are needed, or any of them is enough.")
    criteria: list[TierCriterion] = Field(description="The criteria, as they stand.")


class TierRenewed(EventData):
    """A member keeps the tier for another period: a review found so, or the criteria were met in the days of grace."""

    tier: str = Field(description="The code of the tier.")
    until: datetime | None = Field(description="When it is judged next; null when it is not judged any more.")
    in_grace: bool = Field(description="Whether it was saved in the days of grace.")


class Line(EventData):
    """A line of a member's account."""

    unit: str = Field(description="points, growth, or another unit of the programme.")
    seq: int = Field(description="The number of the line in the account: 1, 2, 3 … without a gap.")
    amount: int = Field(description="What came (positive) or went (negative).")
    held: int = Field(description="By how much the amount set aside changed.")
    contra: str = Field(description="The programme's side: issuance, redemption, breakage, claw_back and so on.")
    balance: int = Field(description="The balance of the account after this line.")


class TransactionRecorded(EventData):
    """Points or another unit were earned, spent, set aside, taken back or have expired."""

    transaction: str = Field(description="The transaction's number.")
    channel: str = Field(description="The channel that it came through.")
    kind: str = Field(description="What was done there.")
    reverses: str | None = Field(description="The number of the transaction that this one takes back, or null.")
    entries: list[Line] = Field(description="The lines of the accounts, in their order.")


class PointsExpiring(EventData):
    """A member is about to lose points: told once for each day of expiry and each number of days before it."""

    unit: str = Field(description="points, or another unit of the programme.")
    points: int = Field(description="What is lost, unless it is spent before.")
    expires_on: date = Field(
        description="From 00:00 of this day on, in the programme's time zone, they cannot be used."
    )
    days: int = Field(description="So many days before, as the programme says; after a standstill it may be fewer.")


class PointsExtended(EventData):
    """An operator has let points last longer."""

    unit: str = Field(description="points, or another unit of the programme.")
    points: int = Field(description="How many last longer.")
    expires_on: date = Field(
        description="From 00:00 of this day on, in the programme's time zone, they cannot be used."
    )


class MemberFlagged(EventData):
    """A member was active in a channel more often than the programme expects: somebody is to look at it."""

    flag: int = Field(description="The number of the flag among the member's.")
    channel: str = Field(description="The channel.")
    more_than: int = Field(description="How often is too often if it is more.")
    within_minutes: int = Field(description="Within how many minutes.")
    holds: bool = Field(description="Whether what is earned beyond it cannot be spent until somebody has looked.")


class FlagDecided(EventData):
    """Somebody has looked at a flag."""

    flag: int = Field(description="The number of the flag among the member's.")
    channel: str = Field(description="The channel that it was about.")
    state: str = Field(description="cleared when nothing was wrong, confirmed when something was.")
    released: dict[str, int] = Field(description="What can be spent from now on that was held back, by unit.")
    forfeited: dict[str, int] = Field(description="What was asked back of what had been gained, by unit.")


class GainsForfeited(EventData):
    """A member has lost what was gained wrongly."""

    amounts: dict[str, int] = Field(description="What was asked back, by unit.")
    reason: str = Field(description="What the operator gave as the reason.")


class TransactionReversed(EventData):
    """An operator has taken a transaction back, wholly or in part."""

    transaction: str = Field(description="The number of the transaction that was taken back.")
    channel: str = Field(description="The channel that it had come through.")


class OrderPaid(EventData):
    """An order was recorded."""

    reference: str = Field(description="The order's number with the shop.")
    occurred_at: datetime = Field(description="When it was paid.")
    paid: int = Field(description="What was paid in money, in the currency's minor unit, without what points paid for.")
    awards: dict[str, int] = Field(description="What it brought, by unit.")


class OrderRefunded(EventData):
    """An order was refunded, wholly or in part."""

    reference: str = Field(description="The order's number with the shop.")
    amount: int = Field(description="What the order had cost, in the currency's minor unit.")
    amount_left: int = Field(description="What of it was not refunded.")
    gone: bool = Field(description="Whether nothing of the order is left.")


class BudgetLow(EventData):
    """A budget has run low: told once for a period and its limit. The member is the last who was given of it."""

    budget: str = Field(description="The budget's name: purchase:points.")
    unit: str = Field(description="points, or another unit of the programme.")
    period: str = Field(description="The period: 2026-01-31, 2026-01, or lifetime.")
    limit: int = Field(description="The most of the period.")
    used: int = Field(description="What was given of it.")
    stops: bool = Field(description="Whether nothing more is given when it is exhausted.")


class BudgetExhausted(BudgetLow):
    """A budget has nothing left: told once for a period and its limit. The member is the one who came last."""


class RedemptionCostLeftBand(EventData):
    """The cost of redemption has left the programme's band, on one side or the other. It is of no member."""

    standing: str = Field(description="Where it is: below or above, or within again.")
    former: str = Field(description="Where it was.")
    since: date = Field(description="The first of the days that were added up.")
    until: date = Field(description="The last of them.")
    points: int = Field(description="The points redeemed, less those given back.")
    cost: str = Field(description="What they are worth, in the currency's unit.")
    revenue: str = Field(description="What members have paid, in the currency's unit, less refunds.")
    currency: str = Field(description="The currency.")
    share: str | None = Field(description="The cost by the revenue: 0.031250; null without revenue.")
    at_least: str = Field(description="The band's lower end: 0.01.")
    at_most: str = Field(description="The band's upper end: 0.03.")


class RedemptionCostBackInBand(RedemptionCostLeftBand):
    """The cost of redemption is back in the programme's band. It is of no member."""


EVENT_TYPES: Final[Mapping[str, EventType]] = {
    kind.name: kind
    for kind in (
        EventType(MEMBER_ENROLLED, 1, MemberEnrolled),
        EventType(MEMBER_UPDATED, 1, MemberUpdated),
        EventType(MEMBER_STATUS_CHANGED, 1, MemberStatusChanged),
        EventType(MEMBER_MERGED, 1, MemberMerged),
        EventType(MEMBER_ERASED, 1, MemberErased),
        EventType(TIER_CHANGED, 1, TierChanged),
        EventType(TIER_AT_RISK, 1, TierAtRisk),
        EventType(TIER_GRACE_STARTED, 1, TierGraceStarted),
        EventType(TIER_RENEWED, 1, TierRenewed),
        EventType(POINTS_EXPIRING, 1, PointsExpiring),
        EventType(POINTS_EXTENDED, 1, PointsExtended),
        EventType(MEMBER_FLAGGED, 1, MemberFlagged),
        EventType(FLAG_DECIDED, 1, FlagDecided),
        EventType(GAINS_FORFEITED, 1, GainsForfeited),
        EventType(TRANSACTION_RECORDED, 1, TransactionRecorded),
        EventType(TRANSACTION_REVERSED, 1, TransactionReversed),
        EventType(ORDER_PAID, 1, OrderPaid),
        EventType(ORDER_REFUNDED, 1, OrderRefunded),
        EventType(REDEMPTION_COST_LEFT_BAND, 1, RedemptionCostLeftBand, of_member=False),
        EventType(REDEMPTION_COST_BACK_IN_BAND, 1, RedemptionCostBackInBand, of_member=False),
        EventType(BUDGET_LOW, 1, BudgetLow),
        EventType(BUDGET_EXHAUSTED, 1, BudgetExhausted),
    )
}
