"""Money in the schema: an exact amount and its currency."""

from decimal import Decimal

import strawberry

from core.money import money
from graph.scalars import CurrencyCode


@strawberry.type
class Money:
    """An amount of money."""

    amount: Decimal = strawberry.field(description="The amount, in the currency's unit.")
    currency: CurrencyCode = strawberry.field(description="The currency.")

    @classmethod
    def of(cls, minor: int, currency: str) -> "Money":
        """From the currency's minor unit, as the ledger counts it."""
        return cls(amount=money(minor, currency), currency=CurrencyCode(currency))


@strawberry.input
class MoneyInput:
    """An amount of money."""

    amount: Decimal = strawberry.field(description='The amount, in the currency\'s unit: "12.50".')
    currency: CurrencyCode = strawberry.field(description="The currency; it must be the programme's.")
