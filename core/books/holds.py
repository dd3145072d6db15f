"""A hold sets points of certain lots aside until it is captured or released, exactly once."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from core.books.lots import Lot


class HoldState(StrEnum):
    """Where a hold stands."""

    OPEN = "open"
    CAPTURED = "captured"
    RELEASED = "released"


class Hold(NamedTuple):
    """Points set aside. After capture ``captured`` is what was taken, and the rest went back to its lots."""

    unit: str
    seq: int
    operation_id: str
    channel: str
    reference: str
    amount: int
    captured: int
    state: str
    placed_at: datetime
    expires_at: datetime


class HoldLot(NamedTuple):
    """How much of which lot a hold sets aside; ``amount`` is 0 once the hold is resolved."""

    unit: str
    hold_seq: int
    lot_seq: int
    amount: int


def without_overdue(lots: Iterable[Lot], holds: Iterable[Hold], parts: Iterable[HoldLot], at: datetime) -> list[Lot]:
    """The lots as they are once the holds whose time is over at that instant have been released.

    ``holds`` are the open ones, ``parts`` what they set aside.
    """
    overdue = {(hold.unit, hold.seq) for hold in holds if hold.expires_at <= at}
    freed: dict[tuple[str, int], int] = {}
    for part in parts:
        if (part.unit, part.hold_seq) in overdue:
            lot = part.unit, part.lot_seq
            freed[lot] = freed.get(lot, 0) + part.amount
    return [lot._replace(held=lot.held - freed.get((lot.unit, lot.seq), 0)) for lot in lots]
