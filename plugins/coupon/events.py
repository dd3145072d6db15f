"""What the plugin tells outside, and in which shape."""

from typing import Final

from pydantic import Field

from core.telling.event_types import EventData, EventType


class CouponIssued(EventData):
    """A member was given a coupon."""

    coupon: str = Field(description="The coupon's number.")
    kind: str = Field(description="The kind of coupon.")
    occasion: str = Field(description="What it was given for.")


class CouponUsed(EventData):
    """A member has used a coupon."""

    coupon: str = Field(description="The coupon's number.")
    order: str = Field(description="The order's number with the shop.")


class CouponWithdrawn(EventData):
    """A coupon was taken back, as what it was given for was undone."""

    coupon: str = Field(description="The coupon's number.")


EVENT_TYPES: Final = (
    EventType("coupon.issued", 1, CouponIssued),
    EventType("coupon.used", 1, CouponUsed),
    EventType("coupon.withdrawn", 1, CouponWithdrawn),
)
