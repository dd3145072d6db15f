"""What guests did in a period, by the names of members' figures, so that the two stand side by side."""

import strawberry

from core.key_figures import guests
from graph.figure import Figure


@strawberry.type
class GuestFigures:
    """Figures of guests: customers who are no members. Their orders are those that `recordGuestOrder` brings.

    An order without a `customer` counts among orders and in revenue, and in none of the three rates, as nobody knows
    whether its guest came again.
    """

    orders: Figure = strawberry.field(
        description="Guests' orders that cost something, less those wholly refunded since."
    )
    revenue: Figure = strawberry.field(description="What guests paid, less refunds on the day of the sale.")
    average_order_value: Figure = strawberry.field(description="Revenue by orders.")
    order_frequency: Figure = strawberry.field(
        description="Orders of guests who are known by a key, by the guests who ordered."
    )
    repurchase_rate: Figure = strawberry.field(
        description="Guests known by a key who ordered at least twice, by those who ordered at least once."
    )
    retention_rate: Figure = strawberry.field(
        description="Of the guests known by a key who ordered in the period before, those who ordered again as guests."
    )
    members_order_share: Figure = strawberry.field(
        description="Members' orders by those of members and guests together."
    )
    members_revenue_share: Figure = strawberry.field(
        description="Members' revenue by that of members and guests together."
    )

    @classmethod
    def of(cls, found: guests.GuestFigures) -> "GuestFigures":
        before = found.before
        return cls(
            **{name: Figure.of(now, None if before is None else before[name]) for name, now in found.now.items()}
        )
