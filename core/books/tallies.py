"""What members did, counted by local day: the facts that tiers, caps, quests and badges are judged by.

A tally is a named count of one member on one day of the programme's zone. Counting never reads: the day's row is
added to where it is stored. A window is the sum of its days, so a refund can take away on the very day of the sale.
"""

from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from core.money import money_step

SPEND: Final = "spend"
ORDERS: Final = "orders"

_ONE: Final = Decimal(1)


@lru_cache(maxsize=8_192)
def day_number(day: date) -> int:
    """The day as it is stored and sorted.

    >>> day_number(date(2026, 1, 31))
    20260131
    """
    return day.year * 10_000 + day.month * 100 + day.day


def day_of(number: int) -> date:
    """The day that is stored as this number.

    >>> day_of(20260131)
    datetime.date(2026, 1, 31)
    """
    return date(number // 10_000, number // 100 % 100, number % 100)


class Count(NamedTuple):
    """What an operation adds to (or takes from) one day of one tally."""

    name: str
    day: int
    amount: int


class Tally(NamedTuple):
    """What stands in the database for one day of one tally."""

    name: str
    day: int
    amount: int


def fact_value(fact: str, amount: int, currency: str) -> Decimal:
    """What a tally says, as tiers read it: money in the currency's unit (it is counted in the minor one)."""
    return amount * fact_step(fact, currency)


def fact_step(fact: str, currency: str) -> Decimal:
    """What one in a tally stands for."""
    return money_step(currency) if fact == SPEND else _ONE
