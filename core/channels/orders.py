"""An order, as whoever did not record it sees it: what is told of it, and what expressions see of it.

The purchase channel tells both events, with what rules see of the order (``Event.activity``); other channels react.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

ORDER_PAID: Final = "order.paid"
"""Payload: ``reference``, ``occurred_at``, ``paid`` (money in minor units, without what points paid for) and
``awards`` (what it brought, by unit). When it has captured a hold, ``hold``: the hold's number as ``hold``, the
``points`` that were taken, the ``amount`` that they paid, and what that is a part ``of``."""

ORDER_REFUNDED: Final = "order.refunded"
"""Payload: as of ORDER_PAID, for what is left of the order; ``amount`` is what it cost, ``amount_left`` what of it was
not refunded, and ``gone`` says that nothing is left. The activity is None when nothing is left."""


@dataclass(slots=True)
class LineFacts:
    """``line``: one line that was sold. ``amount`` is what was paid for it in money."""

    sku: str
    category: str | None
    amount: Decimal
    quantity: Decimal
    tags: list[str]


@dataclass(slots=True)
class OrderFacts:
    """``order``. ``amount`` is what was paid in money, ``total`` includes what was paid with points.

    ``promised`` are points that the till has promised already; ``first`` says that the member had no order before.
    """

    amount: Decimal
    total: Decimal
    quantity: Decimal
    category: str | None
    kind: str | None
    first: bool
    promised: int
    lines: list[LineFacts]
    at: datetime


@dataclass(slots=True)
class MemberFacts:
    """``member``, as they were when the order was recorded; birthdays are judged on the order's local day."""

    tier: str
    birthday: date | None
    birth_month_now: bool
    birthday_today: bool
    tags: list[str]
    orders: int
    enrolled_at: datetime


FACTS: Final[Mapping[str, Any]] = {"order": OrderFacts, "line": LineFacts, "member": MemberFacts}
